from strongroom_node.cli.table import banner, columns, key_value, map_banner, table


def test_columns() -> None:
    assert table(("Path", "Type"), [("secret/", "kv"), ("sys/", "")]) == (
        "Path       Type\n----       ----\nsecret/    kv\nsys/       n/a"
    )
    assert key_value([("a", "multi\nline")]) == "Key    Value\n---    -----\na      multi\nline"
    assert columns([["∞", "x"], ["ab", "y"]]) == "∞     x\nab    y"


def test_banners() -> None:
    assert banner("Secret Path", len("secret/data/b")) == "== Secret Path =="
    assert banner("Secret Path", len("secret/data/shared/app")) == "===== Secret Path ====="
    assert map_banner("Metadata", ["custom_metadata"]) == "======= Metadata ======="
    assert map_banner("Metadata", ["current_metadata_version"]) == "============ Metadata ============"
    assert map_banner("Version 1", ["deletion_time"]) == "====== Version 1 ======"
    assert map_banner("Data", ["k"]) == "== Data =="
    assert map_banner("Data", []) == "== Data =="
