"""What the checks share: which files there are, and how a check ends."""
import pathlib
import re
import sys

FOLDERS = ("libmbus", "programs", "broker", "cli", "tests")


def root():
    """The project, or the folder that stands in for it (self-test)."""
    return pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()


def sources(top, suffixes=(".c", ".h"), folders=FOLDERS):
    """All source files, sorted, as paths relative to the project."""
    found = []
    for folder in folders:
        for path in (top / folder).rglob("*"):
            if path.suffix in suffixes and path.is_file():
                found.append(path.relative_to(top))
    return sorted(found)


def read(top, path):
    return (top / path).read_text(encoding="utf-8")


# A comment, a string or a character: what must be told apart before anything is searched for.
TOKENS = re.compile(
    r"""(?P<block>/\*.*?\*/)|(?P<line>//[^\n]*)|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""",
    re.DOTALL | re.VERBOSE)


def finish(problems, n_files):
    """Prints what is wrong and ends the check. A check that saw no file has checked nothing."""
    for problem in problems:
        print(problem)
    if n_files == 0:
        print("there was nothing to check")
    print(f"{n_files} files, {len(problems)} problems")
    sys.exit(1 if problems or n_files == 0 else 0)
