"""spec/conformance.tsv and the ids in the tests: reading both.

A test claims a requirement by its id in the comment directly above it:

        /* ADR-04 */                            C, for START_TEST(name) or a function
        # ADR-04                                scripts, for name() { or def name(
A script that is one test carries its ids in its opening comment. A test is named by its file under
tests/ and its function, "unit/test-address.c:test_repeated_tag_is_malformed".
"""
import re

ID = re.compile(r"\b[A-Z]{3}-\d\d\b")
C_TEST = re.compile(
    r"(?P<comment>/\*(?:(?!\*/).)*\*/)\s*"
    r"(?:START_TEST\((?P<check>\w+)\)|(?:static\s+)?(?:void|int|bool)\s+(?P<plain>test_\w+)\()",
    re.DOTALL)
SCRIPT_TEST = re.compile(
    r"(?P<comment>(?:^[ \t]*\#[^\n]*\n)+)"
    r"[ \t]*(?:(?P<shell>\w+)\(\)\s*\{|function\s+(?P<word>\w+)|def\s+(?P<python>\w+)\()",
    re.MULTILINE)
SCRIPT_HEAD = re.compile(r"\A#![^\n]*\n(?P<comment>(?:#[^\n]*\n)+)")
NOT_TESTS = ("lint", "support", "vectors", "bench")


class Row:
    """One requirement."""

    def __init__(self, line):
        columns = line.rstrip("\n").split("\t")
        if len(columns) != 6:
            raise ValueError(f"{len(columns)} columns instead of 6: {line.strip()[:60]}")
        self.id, self.section, self.level, self.module, tests, self.text = columns
        self.tests = [] if tests == "-" else tests.split()

    def format(self):
        tests = " ".join(self.tests) or "-"
        return "\t".join((self.id, self.section, self.level, self.module, tests, self.text)) + "\n"


def read_rows(path):
    """The comment lines and the rows of the table."""
    comments, rows = [], []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.startswith("#"):
            comments.append(line)
        elif line.strip():
            rows.append(Row(line))
    return comments, rows


def tests_of_c(text):
    for match in C_TEST.finditer(text):
        yield match.group("check") or match.group("plain"), match.group("comment")


def tests_of_script(text):
    head = SCRIPT_HEAD.match(text)
    if head:
        yield "", head.group("comment")
    for match in SCRIPT_TEST.finditer(text):
        name = match.group("shell") or match.group("word") or match.group("python")
        yield name, match.group("comment")


def claims(top):
    """{id: [test]} of all ids that tests carry."""
    found = {}
    for path in sorted((top / "tests").rglob("*")):
        name = path.relative_to(top / "tests").as_posix()
        if not path.is_file() or name.split("/")[0] in NOT_TESTS or path.suffix in (".h", ".pyc"):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if path.suffix == ".c":
            tests = tests_of_c(text)
        elif text.startswith("#!"):
            tests = tests_of_script(text)
        else:
            continue
        for function, comment in tests:
            test = f"{name}:{function}" if function else name
            for identity in ID.findall(comment):
                if test not in found.setdefault(identity, []):
                    found[identity].append(test)
    return found
