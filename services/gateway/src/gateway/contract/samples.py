"""Words for examples: by the name of a field, by a format, and whole bodies where a generated one would say little."""

from typing import Any

ASSET = "019a8f4e-7c1d-7b52-9d63-2f7e1c0a5b11"
REPOSITORY = "6f1c2d84-9f57-4f0e-8d0c-3b6a52d9e7a4"
HASH = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoxfQ.c2lnbmF0dXJl"  # noqa: S105  # a sample

WORDS: dict[str, Any] = {
    "after": "eyJzb3J0X2F0Ijoi",
    "album_name": "Summer at the lake",
    "asset_id": ASSET,
    "bbox": "-9.5,38.5,-9.0,39.0",
    "camera": "X-T5",
    "camera_make": "FUJIFILM",
    "city": "Lisbon",
    "content_hash": HASH,
    "country": "Portugal",
    "dates": ["in summer 2023"],
    "day": "2026-05-04",
    "description": "Evening on the shore",
    "email": "anna@example.org",
    "file_name": "IMG_2041.jpg",
    "file_size": 4_213_882,
    "gps_latitude": 38.7079,
    "gps_longitude": -9.1366,
    "hash": HASH,
    "height": 3024,
    "label": "dog",
    "lens": "XF 23mm F2",
    "limit": 20,
    "local_time": "2026-05-04T18:31:07",
    "mime_type": "image/jpeg",
    "month": "2026-05",
    "name": "Photos",
    "new_password": "correct horse battery staple",
    "next": "eyJzb3J0X2F0Ijoi",
    "offset_minutes": 60,
    "old_password": "a longer one than that",
    "original_filename": "IMG_2041.jpg",
    "owner": "anna",
    "password": "correct horse battery staple",
    "path": "/photos",
    "parts": ["dates", "words", "semantic"],
    "places": ["in Lisbon"],
    "query": "lake",
    "rating": 4,
    "reason": "the disk is being replaced",
    "refreshToken": "6d1f0b3a9c4e8d72",
    "repository_id": REPOSITORY,
    "size": 4_213_882,
    "stage": "render",
    "storage_path": "inbox/2024/05/IMG_2041.jpg",
    "tag": "travel/portugal",
    "taken_time": "2024-05-17T18:03:11",
    "thumbhash": "1QcSHQRnh493V4dIh4eXh1h4kJUI",
    "status": "complete",
    "title": "The lake at dusk",
    "type": "PHOTO",
    "token": TOKEN,
    "url": f"/api/v1/assets/{ASSET}/thumbnail?size=small",
    "username": "anna",
    "width": 4032,
    "words": "dog at the beach",
}

# What is null as a rule.
NOTHING = {"allowed", "asks", "deleted_at", "error", "live_video_id", "missing_since", "trouble"}

FORMATS = {
    "binary": "(the bytes of the file)",
    "date": "2024-05-17",
    "date-time": "2024-05-17T16:03:11Z",
    "local-date-time": "2024-05-17T18:03:11",
    "uuid": ASSET,
}

# Words that have a format.
FORMATTED = {ASSET, REPOSITORY, FORMATS["local-date-time"]}

# By operation: what a person would really send.
BODIES: dict[str, Any] = {
    "change_password": {"old_password": "correct horse battery staple", "new_password": "wrong donkey charger clip"},
    "find_bucket": {"month": "2024-05", "filter": {"type": "PHOTO"}},
    "make_user": {
        "username": "berta",
        "email": "berta@example.org",
        "password": "correct horse battery staple",
    },
    "make_stack": {"asset_ids": [ASSET, "019a8f4e-7c1d-7b52-9d63-2f7e1c0a5b12"], "cover_asset_id": ASSET},
    "merge_duplicates": {"keep": ASSET, "others": ["019a8f4e-7c1d-7b52-9d63-2f7e1c0a5b12"]},
    "dismiss_duplicates": {"asset_ids": [ASSET, "019a8f4e-7c1d-7b52-9d63-2f7e1c0a5b12"]},
    "restore_duplicates": {"asset_ids": [ASSET, "019a8f4e-7c1d-7b52-9d63-2f7e1c0a5b12"]},
    "teach_label": {"label": "our garden", "examples": [f"{ASSET[:-1]}{number}" for number in range(1, 6)]},
    "add_label_examples": {"examples": [ASSET]},
    "remove_user": {"assets": "transfer", "to": 1, "only_count": True},
    "search_assets": {"query": "dog at the beach in summer 2023", "filter": {"type": "PHOTO"}, "limit": 20},
    "start_operation": {"action": {"kind": "like", "liked": True}, "ids": [ASSET]},
    "offer_download": {"asset_ids": [ASSET]},
    "make_key": {"name": "backup of the laptop", "scopes": ["read", "upload"]},
    "edit_asset": {"title": "The lake at dusk", "tags": ["travel/portugal", "dusk"], "reset": ["rating"]},
    "reprocess_assets": {"scope": "missing", "filter": {"type": "VIDEO"}},
    "request_scan": {"path": "2024/Lisbon", "mode": "quick"},
    "restore_trash": {"asset_ids": [ASSET]},
    "purge_trash": {"asset_ids": [ASSET], "only_count": True},
    "repair_repository": {"rewrite_marker": REPOSITORY},
}
