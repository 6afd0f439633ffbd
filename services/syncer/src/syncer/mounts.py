"""Whether the kernel tells what changes on a file system, by its type: it knows nothing of what other machines do."""

import os
import re

LOCAL_FUSE = {b"fuseblk", b"fuse.exfat", b"fuse.ntfs", b"fuse.ntfs-3g", b"fuse.mergerfs", b"fuse.unionfs"}
SHARED = {
    *(b"nfs", b"nfs4", b"cifs", b"smb3", b"smbfs", b"smb2", b"ncpfs", b"9p", b"afs", b"auristorfs", b"coda", b"davfs"),
    *(b"ceph", b"glusterfs", b"lustre", b"gpfs", b"beegfs", b"orangefs", b"pvfs2", b"ocfs2", b"gfs2", b"wekafs"),
    *(b"virtiofs", b"vboxsf", b"vmhgfs", b"prl_fs", b"drvfs", b"fuse"),
}
ESCAPE = re.compile(rb"\\([0-7]{3})")


def tells_all(mountinfo: bytes, path: bytes) -> bool:
    """Whether inotify hears of every change below a path, given the text of /proc/self/mountinfo and no link in it."""
    kind = file_system(mountinfo, path)
    return kind not in SHARED and (not kind.startswith(b"fuse.") or kind in LOCAL_FUSE)


def file_system(mountinfo: bytes, path: bytes) -> bytes:
    """The type of the file system in which a path lies; empty when the text does not say."""
    kind = b""
    for line in mountinfo.splitlines():
        place, separator, source = line.partition(b" - ")
        fields = place.split(b" ")
        if separator and len(fields) > 4 and _is_below(path, _plain(fields[4])):
            kind = source.split(b" ")[0]  # a later line was mounted later, and hides what lies under it
    return kind


def below(mountinfo: bytes, path: bytes) -> list[bytes]:
    """Where something is mounted below a path without links, as seen from there."""
    fields = (line.partition(b" - ")[0].split(b" ") for line in mountinfo.splitlines())
    points = {_plain(field[4]) for field in fields if len(field) > 4}
    start = os.path.join(path, b"")
    return sorted(point[len(start) :] for point in points if point.startswith(start) and point != start)


def _plain(escaped: bytes) -> bytes:
    return ESCAPE.sub(lambda code: bytes([int(code[1], 8) & 255]), escaped)


def _is_below(path: bytes, mount_point: bytes) -> bool:
    return path == mount_point or path.startswith(os.path.join(mount_point, b""))
