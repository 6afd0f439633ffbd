"""The families of files that we take: what they are called, what they are, and what their names end in."""

from typing import NamedTuple

from common.messages import Kind


class Format(NamedTuple):
    """A family that we know: its name, its kind, its MIME type, the extension we give it, and others it comes with."""

    name: str
    kind: Kind
    mime_type: str
    extension: str
    others: tuple[str, ...] = ()


JPEG = Format("JPEG", "photo", "image/jpeg", ".jpg", (".jpeg", ".jpe", ".jfif", ".mpo", ".insp"))
PNG = Format("PNG", "photo", "image/png", ".png", (".apng",))
WEBP = Format("WebP", "photo", "image/webp", ".webp")
GIF = Format("GIF", "photo", "image/gif", ".gif")
TIFF = Format("TIFF", "photo", "image/tiff", ".tif", (".tiff",))
AVIF = Format("AVIF", "photo", "image/avif", ".avif", (".avifs",))
HEIC = Format("HEIC", "photo", "image/heic", ".heic", (".heif", ".hif", ".heics"))
JXL = Format("JPEG XL", "photo", "image/jxl", ".jxl")
JP2 = Format("JPEG 2000", "photo", "image/jp2", ".jp2", (".j2k", ".jpf", ".jpx", ".j2c", ".jpc"))
PSD = Format("PSD", "photo", "image/vnd.adobe.photoshop", ".psd")
BMP = Format("BMP", "photo", "image/bmp", ".bmp", (".dib",))

CR2 = Format("Canon CR2", "photo", "image/x-canon-cr2", ".cr2")
CR3 = Format("Canon CR3", "photo", "image/x-canon-cr3", ".cr3")
NEF = Format("Nikon NEF", "photo", "image/x-nikon-nef", ".nef", (".nrw",))
ARW = Format("Sony ARW", "photo", "image/x-sony-arw", ".arw", (".srf", ".sr2"))
RAF = Format("Fujifilm RAF", "photo", "image/x-fuji-raf", ".raf")
ORF = Format("Olympus ORF", "photo", "image/x-olympus-orf", ".orf")
PEF = Format("Pentax PEF", "photo", "image/x-pentax-pef", ".pef")
RW2 = Format("Panasonic RW2", "photo", "image/x-panasonic-rw2", ".rw2", (".rwl", ".raw"))
MRW = Format("Minolta MRW", "photo", "image/x-minolta-mrw", ".mrw")
SRW = Format("Samsung SRW", "photo", "image/x-samsung-srw", ".srw")
X3F = Format("Sigma X3F", "photo", "image/x-sigma-x3f", ".x3f")
DNG = Format("DNG", "photo", "image/x-adobe-dng", ".dng")
RAW = Format("another camera's RAW", "photo", "image/x-raw", ".raw", (".3fr", ".dcr", ".erf", ".iiq", ".kdc", ".mef"))

MP4 = Format("MP4", "video", "video/mp4", ".mp4", (".m4v", ".mov", ".f4v", ".3gp"))
MOV = Format("QuickTime", "video", "video/quicktime", ".mov", (".qt", ".mp4"))
MKV = Format("Matroska", "video", "video/x-matroska", ".mkv", (".mk3d",))
WEBM = Format("WebM", "video", "video/webm", ".webm")
AVI = Format("AVI", "video", "video/x-msvideo", ".avi", (".divx",))
THREE_GP = Format("3GP", "video", "video/3gpp", ".3gp", (".3g2", ".3gpp", ".mp4"))
MPEG_TS = Format("MPEG transport stream", "video", "video/mp2t", ".mts", (".m2ts", ".m2t", ".ts", ".tod"))
MPEG_PS = Format("MPEG", "video", "video/mpeg", ".mpg", (".mpeg", ".vob", ".mod", ".m2p"))
WMV = Format("Windows Media video", "video", "video/x-ms-wmv", ".wmv", (".asf",))
FLV = Format("Flash video", "video", "video/x-flv", ".flv")
OGV = Format("Ogg video", "video", "video/ogg", ".ogv", (".ogg", ".ogm"))

MP3 = Format("MP3", "audio", "audio/mpeg", ".mp3", (".mpga", ".mp2"))
FLAC = Format("FLAC", "audio", "audio/flac", ".flac")
OGG = Format("Ogg", "audio", "audio/ogg", ".ogg", (".oga", ".opus", ".spx"))
M4A = Format("M4A", "audio", "audio/mp4", ".m4a", (".m4b", ".m4r", ".mp4", ".mov", ".3gp", ".3gpp", ".aac"))
AAC = Format("AAC", "audio", "audio/aac", ".aac")
WAV = Format("WAV", "audio", "audio/wav", ".wav", (".wave", ".bwf"))
AIFF = Format("AIFF", "audio", "audio/aiff", ".aiff", (".aif", ".aifc"))
AMR = Format("AMR", "audio", "audio/amr", ".amr", (".awb",))
WMA = Format("Windows Media audio", "audio", "audio/x-ms-wma", ".wma", (".asf", ".wmv"))
MKA = Format("Matroska audio", "audio", "audio/x-matroska", ".mka", (".mkv", ".webm"))
WEBA = Format("WebM audio", "audio", "audio/webm", ".weba", (".webm",))

STILLS = (JPEG, PNG, WEBP, GIF, TIFF, AVIF, HEIC, JXL, JP2, PSD, BMP)
RAWS = (CR2, CR3, NEF, ARW, RAF, ORF, PEF, RW2, MRW, SRW, X3F, DNG, RAW)
VIDEOS = (MP4, MOV, MKV, WEBM, AVI, THREE_GP, MPEG_TS, MPEG_PS, WMV, FLV, OGV)
AUDIOS = (MP3, FLAC, OGG, M4A, AAC, WAV, AIFF, AMR, WMA, MKA, WEBA)
FORMATS = (*STILLS, *RAWS, *VIDEOS, *AUDIOS)

BY_MIME = {known.mime_type: known for known in FORMATS}
RAW_TYPES = frozenset(known.mime_type for known in RAWS)


def taken_formats() -> str:
    """The formats that we take, as a sentence lists them."""
    moving = [known.name for known in (*VIDEOS, *AUDIOS)]
    *others, last = [known.name for known in STILLS] + ["cameras' RAW"] + moving
    return f"{', '.join(others)} and {last}"
