"""Names are linked within an image, then to vmlinux, then to the only module that defines them."""

from kgraph.model.ids import FunctionId
from kgraph.resolve import resolve
from tests.support.facts_in_c import call, fn, function, names, only_site, sites


def callee(*definitions, target, caller="caller"):
    body = function(caller, call(caller, target))
    [candidate] = only_site([*definitions, body], fn(caller).name).candidates
    return candidate.callee


def test_a_module_calls_its_own_function_before_vmlinux():
    own, core = FunctionId("f", "", "mod"), FunctionId("f")
    assert callee(function(own), function(core), target=own) == own


def test_a_module_calls_what_vmlinux_defines():
    assert callee(function("f"), target=FunctionId("f", "", "mod")) == fn("f")


def test_a_header_calls_the_only_module_that_defines_a_name():
    assert callee(function(FunctionId("f", "", "mod")), target="f").image == "mod"


def test_two_modules_that_define_a_name_are_not_chosen_between():
    two = [function(FunctionId("f", "", image)) for image in ("m1", "m2")]
    assert callee(*two, target="f") == fn("f")


def test_images_that_stand_alone_do_not_mix_with_the_kernel():
    vdso = FunctionId("f", "", "vdso")
    assert callee(function("f"), target=vdso) == vdso
    assert callee(function(vdso), target="f") == fn("f")


def test_an_image_whose_names_get_a_prefix_is_known_by_it():
    early, core = FunctionId("f", "", "kernel-pi"), function("__pi_copy")
    assert callee(function(early), function("f"), target="__pi_f") == early
    assert callee(function(early), function("f"), target="f") == fn("f")
    assert callee(core, function("copy"), target=FunctionId("copy", "", "kernel-pi")) == fn(
        "__pi_copy")
    own = FunctionId("copy", "", "kernel-pi")
    assert callee(core, function(own), target=own) == own
    assert callee(function(early), target="__kvm_nvhe_f") == fn("__kvm_nvhe_f")


def test_static_twins_stay_two():
    here, there = FunctionId("f", "a.c"), FunctionId("f", "b.c")
    assert callee(function(here), function(there), target=there) == there


def test_an_alias_is_followed_to_what_it_stands_for():
    assert callee(function("SyS_x"), function("sys_x", alias_of="SyS_x"), target="sys_x") == fn(
        "SyS_x")


def test_aliases_of_each_other_end():
    assert callee(function("a", alias_of="b"), function("b", alias_of="a"), target="a").name in "ab"


def test_a_strong_definition_silences_a_weak_one():
    weak = function("f", call("f", "x"), weak=True, key="weak", path="weak.c")
    strong = function("f", call("f", "y"), key="strong", path="strong.c")
    resolution = resolve([weak, strong])
    assert [names(site) for site in sites(resolution, "f")] == [["y"]]
    assert [f.location.path for f in resolution.functions] == ["strong.c"]


def test_what_is_not_defined_stays_a_candidate_by_its_name():
    assert callee(target="nowhere") == fn("nowhere")


def test_one_site_under_two_keys_is_one():
    twice = [function("f", call("f", "x", line=3), key=key) for key in ("k2", "k1")]
    twice[0] = function("f", call("f", "x", line=3), call("f", "y", line=4), key="k2")
    found = sites(resolve(twice), "f")
    assert [(site.key, names(site)) for site in found] == [("k1", ["x"]), ("k2", ["y"])]
