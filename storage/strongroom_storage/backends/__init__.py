"""Local stores, all behind `strongroom_storage.backend.Backend`; `registry` lists them."""
