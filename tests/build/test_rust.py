"""Functions that Rust code defines for C are found by their attribute."""

from pathlib import Path

from kgraph.build.rust import find_rust_functions

SOURCE = """
#[no_mangle]
unsafe extern "C" fn rust_fmt_argument(buf: *mut c_char) -> *mut c_char { buf }

#[export]
#[inline(never)]
pub unsafe extern "C" fn drm_panic_qr_generate(data: *mut u8) -> u8 { 0 }

#[unsafe(no_mangle)]
pub extern "C" fn third() {}

unsafe extern "C" fn only_a_callback() {}
fn private() {}
"""


def make_tree(root: Path, option: str) -> None:
    for folder in ("include/config", "rust/kernel", "tools"):
        (root / folder).mkdir(parents=True)
    (root / "include/config/auto.conf").write_text(f"CONFIG_NET=y\n{option}\n")
    (root / "rust/kernel/print.rs").write_text(SOURCE)
    (root / "tools/other.rs").write_text("#[no_mangle]\nfn no_kernel() {}\n")


def test_functions_with_the_attribute_are_found(tmp_path: Path) -> None:
    make_tree(tmp_path, "CONFIG_RUST=y")
    assert find_rust_functions(tmp_path, None) == (
        "drm_panic_qr_generate", "rust_fmt_argument", "third")


def test_a_configuration_without_rust_has_none(tmp_path: Path) -> None:
    make_tree(tmp_path, "# CONFIG_RUST is not set")
    assert find_rust_functions(tmp_path, None) == ()
