from pathlib import Path

from tests.house.structure import long_classes, long_modules, nameless_functions, shared_class_names


def module(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_module_of_351_lines_is_long(tmp_path: Path) -> None:
    short, long = module(tmp_path, "short.py", "x = 1\n" * 350), module(tmp_path, "long.py", "x = 1\n" * 351)
    assert long_modules([short, long]) == [f"{long}: 351 lines, 350 at most"]


def test_a_class_of_201_lines_is_long(tmp_path: Path) -> None:
    path = module(
        tmp_path, "classes.py", "class Short:\n" + "    x = 1\n" * 199 + "class Long:\n" + "    x = 1\n" * 200
    )
    assert long_classes([path]) == [f"{path}: class Long has 201 lines, 200 at most"]


def test_a_function_named_with_an_underscore_alone_is_found(tmp_path: Path) -> None:
    path = module(tmp_path, "handlers.py", "def _named():\n    pass\ndef _():\n    pass\n")
    assert nameless_functions([path]) == [f"{path}:3: a function named _"]


def test_a_public_class_name_in_two_modules_is_found(tmp_path: Path) -> None:
    one = module(tmp_path, "one.py", "class Board: ...\nclass _Own: ...\n")
    two = module(tmp_path, "two.py", "class Board: ...\nclass _Own: ...\n")
    assert shared_class_names([one, two]) == {"Board": [one, two]}
