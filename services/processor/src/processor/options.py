"""How thumbnails are to be made: as the server is set up, unless a repository says otherwise."""

from msgspec import Struct, structs

from processor.images import Options

PREFIX = "thumbnail_"


def adjusted(options: Options, said: Struct) -> Options:
    """The options with what is said otherwise, by names such as `thumbnail_small`; null says nothing."""
    wanted = {name: getattr(said, PREFIX + name) for name in Options.__struct_fields__}
    return structs.replace(options, **{name: value for name, value in wanted.items() if value is not None})
