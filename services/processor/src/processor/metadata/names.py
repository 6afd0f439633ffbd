"""The namespaces of XMP by the prefixes that we call them by, and how its properties are called."""

NAMESPACES = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xml": "http://www.w3.org/XML/1998/namespace",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "exifEX": "http://cipa.jp/exif/1.0/",
    "aux": "http://ns.adobe.com/exif/1.0/aux/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "mediapro": "http://ns.iview-multimedia.com/mediapro/1.0/",
    "MicrosoftPhoto": "http://ns.microsoft.com/photo/1.0/",
    "MP": "http://ns.microsoft.com/photo/1.2/",
    "MPRI": "http://ns.microsoft.com/photo/1.2/t/RegionInfo#",
    "MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
    "GPano": "http://ns.google.com/photos/1.0/panorama/",
    "GCamera": "http://ns.google.com/photos/1.0/camera/",
    "Container": "http://ns.google.com/photos/1.0/container/",
    "Item": "http://ns.google.com/photos/1.0/container/item/",
}

TITLE, DESCRIPTION, SUBJECT, RATING = "dc:title", "dc:description", "dc:subject", "xmp:Rating"
TAKEN, LATITUDE, LONGITUDE = "exif:DateTimeOriginal", "exif:GPSLatitude", "exif:GPSLongitude"
ALTITUDE = "exif:GPSAltitude"
LIGHTROOM_KEYWORDS, DIGIKAM_KEYWORDS = "lr:hierarchicalSubject", "digiKam:TagsList"
DATES = (TAKEN, "photoshop:DateCreated", "exif:DateTimeDigitized", "xmp:CreateDate")
"""The properties that say when a picture was taken, the most trusted first."""
DESCRIPTIONS = (DESCRIPTION, "tiff:ImageDescription", "exif:UserComment")
KEYWORDS = {
    DIGIKAM_KEYWORDS: "/",
    LIGHTROOM_KEYWORDS: "|",
    "MicrosoftPhoto:LastKeywordXMP": "/",
    "mediapro:CatalogSets": "|",
    SUBJECT: "|",
}
"""The properties that hold keywords, and what separates the steps of a path in each."""

_PREFIXES = {namespace.rstrip("/#"): prefix for prefix, namespace in NAMESPACES.items()}


def known(name: str) -> str:
    """`dc:title` of `{http://purl.org/dc/elements/1.1/}title`; of an unknown namespace the name as it is."""
    namespace, closed, local = name.partition("}")
    prefix = _PREFIXES.get(namespace[1:].rstrip("/#"))
    return f"{prefix}:{local}" if closed and prefix else name
