"""The rules of the tree's structure. Each is a function from a Tree to what it found wrong."""

import re

from source_tree import Finding, Tree, line_of

LAYERS = ("domain", "app", "storage", "transport", "wiring")
# domain <- app <- storage, transport <- wiring <- main: which layers each may include.
LAYER_SEES = {
    "domain": {"domain"},
    "app": {"domain", "app"},
    "storage": {"domain", "app", "storage"},
    "transport": {"domain", "app", "transport"},
    "wiring": {"domain", "app", "storage", "transport", "wiring"},
}
# Libraries that neither read nor write anything outside the process. The domain gets these only.
PURE_LIBRARIES = {"result", "money", "ids", "time", "calendar", "zengin", "digest", "event",
                  "filetemplate", "text"}
# Headers of theirs that do: digest keeps its sums in a table. And of others that don't: an address is
# a value.
IMPURE_HEADERS = {"kessai/digest/store.h"}
PURE_HEADERS = {"kessai/net/address.h"}
# Where code runs: coroutines, their loop, worker threads. Use cases may say it; they read and write
# nothing by it.
EXECUTION_HEADERS = {"kessai/net/task.h", "kessai/net/loop.h", "kessai/rpc/worker_pool.h"}
# Abstract classes of libraries that are ports as they are; use cases may take them.
PORT_HEADERS = {"kessai/filestore/file_store.h"}
# Libraries that own a connection to somewhere, or a thread of control. The use cases reach them
# through ports.
IO_LIBRARIES = {"files", "filestore", "mysql", "redis", "kafka", "outbox", "inbox", "lease", "net", "http",
                "rpc", "runtime", "testing"}
# Whose headers may be included where: the library that wraps a driver turns its errors into codes.
DRIVERS = {"cppconn/": "mysql", "mysql.h": "mysql", "rdkafka": "kafka", "librdkafka/": "kafka", "hiredis": "redis"}
IO_HEADERS = {"fstream", "iostream", "filesystem", "thread", "cstdio", "sys/socket.h", "unistd.h"}


def layer_of(file):
    """(service, layer) of a file in services/, where layer may also be "main" or "tests"."""
    if len(file.parts) < 3 or file.parts[0] != "services":
        return None, None
    service, second = file.parts[1], file.parts[2]
    if second == "main.cc":
        return service, "main"
    return service, second


def library_of(file):
    return file.parts[1] if len(file.parts) > 2 and file.parts[0] == "libs" else None


def included_library(include):
    """The library whose public header this is: "kessai/money/money.h" is of money."""
    match = re.fullmatch(r"kessai/([a-z0-9_]+)/(?!v\d+/).+", include.path)
    return match.group(1) if match else None


def layers_point_inward(tree: Tree):
    for file in tree.cpp:
        _, layer = layer_of(file)
        if layer not in LAYER_SEES:
            continue
        for include in file.includes:
            target = include.path.split("/")[0]
            if include.quoted and target in LAYERS and target not in LAYER_SEES[layer]:
                yield file.path, include.line, f"{layer} must not include {include.path}"


def headers_are_named_from_the_service(tree: Tree):
    for file in tree.cpp:
        _, layer = layer_of(file)
        for include in file.includes:
            # Above the layers, beside main.cc.
            if layer == "wiring" and include.path == "options.h":
                continue
            if ".." in include.path.split("/"):
                yield file.path, include.line, f"{include.path} climbs out of its folder"
            elif layer in LAYER_SEES and include.quoted and "/" not in include.path:
                yield (file.path, include.line,
                       f'write "{layer}/{include.path}", the path from the service\'s folder')


def services_do_not_know_each_other(tree: Tree):
    services = tree.folders_in("services")
    for file in tree.files:
        if file.parts[0] == "services" and len(file.parts) > 2:
            others = [name for name in services if name != file.parts[1]]
        elif file.parts[0] == "libs":
            others = services
        else:
            continue
        if not others:
            continue
        names = "|".join(map(re.escape, others))
        if file.name == "CMakeLists.txt":
            pattern = re.compile(rf"\b(?:{names})_(?:domain|app|storage|transport)\b|"
                                 rf"services/(?:{names})\b")
            for match in pattern.finditer(re.sub(r"#[^\n]*", "", file.text)):
                yield file.path, line_of(file.text, match.start()), f"links {match.group()}"
        elif file in tree.cpp:
            pattern = re.compile(rf"(?:^|/)services/|^kessai/(?:{names})/(?!v\d+/)|^(?:{names})/")
            for include in file.includes:
                if pattern.search(include.path):
                    yield file.path, include.line, f"includes {include.path} of a service"


def libraries_do_not_include_services(tree: Tree):
    for file in tree.cpp:
        if library_of(file) is None:
            continue
        for include in file.includes:
            if include.quoted and include.path.split("/")[0] in LAYERS:
                yield file.path, include.line, f"a library includes {include.path} of a service"


def wire_types_stay_at_the_edge(tree: Tree):
    wire = re.compile(r"\.pb\.h$|^grpc|^google/protobuf|^kessai/rpc/")
    for file in tree.cpp:
        _, layer = layer_of(file)
        if layer in ("domain", "app"):
            for include in file.includes:
                if wire.search(include.path) and include.path not in EXECUTION_HEADERS:
                    yield file.path, include.line, f"{layer} must not know {include.path}"


def domain_is_pure(tree: Tree):
    reads_clock = re.compile(r"(?:\.|->)\s*(?:Steady)?Now\s*\(|\bSystemClock\s*\(")
    for file in tree.cpp:
        _, layer = layer_of(file)
        if layer != "domain":
            continue
        for include in file.includes:
            library = included_library(include)
            if include.path in PURE_HEADERS:
                continue
            if include.path in IMPURE_HEADERS:
                yield file.path, include.line, f"the domain must not use {include.path}"
            elif library is not None and library not in PURE_LIBRARIES:
                yield file.path, include.line, f"the domain must not use library {library}"
            elif not include.quoted and include.path in IO_HEADERS:
                yield file.path, include.line, f"the domain must not use <{include.path}>"
        for match in reads_clock.finditer(file.code):
            yield (file.path, line_of(file.code, match.start()),
                   "the domain is given the time, it does not read a clock")


def use_cases_work_through_ports(tree: Tree):
    for file in tree.cpp:
        _, layer = layer_of(file)
        if layer == "app":
            for include in file.includes:
                library = included_library(include)
                if include.path in PURE_HEADERS | EXECUTION_HEADERS | PORT_HEADERS:
                    continue
                if library in IO_LIBRARIES or include.path in IMPURE_HEADERS:
                    yield (file.path, include.line,
                           f"app reaches library {library} through a port of its own")


def drivers_are_wrapped_once(tree: Tree):
    for file in tree.cpp:
        for include in file.includes:
            for driver, library in DRIVERS.items():
                if include.path.startswith(driver) and library_of(file) != library:
                    yield (file.path, include.line,
                           f"{include.path} belongs into libs/{library}")
                    break


def sql_lives_in_storage(tree: Tree):
    query = re.compile(r"\bmysql\s*::\s*Query\b")
    for file in tree.cpp:
        _, layer = layer_of(file)
        if layer in ("domain", "app", "transport", "main"):
            for match in query.finditer(file.code):
                yield file.path, line_of(file.code, match.start()), f"a query in {layer}"


# What Aurora MySQL 3, MariaDB 10.11 and TiDB do not all run.
_FOREIGN_SQL = {
    r"\bRETURNING\b": "RETURNING",
    r"\bSKIP\s+LOCKED\b": "SKIP LOCKED",
    r"\bLOCK\s+IN\s+SHARE\s+MODE\b": "a shared lock",
    r"\bFOR\s+SHARE\b": "a shared lock",
    r"\bCREATE\s+SEQUENCE\b|\bNEXTVAL\s*\(|\bNEXT\s+VALUE\s+FOR\b": "a sequence",
    r"\bCREATE\s+(?:OR\s+REPLACE\s+)?(?:PROCEDURE|FUNCTION|TRIGGER|EVENT)\b": "a stored program",
}


def sql_runs_on_all_servers(tree: Tree):
    statement = re.compile(r"^\s*(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|CREATE|ALTER|WITH)\b")
    for file in tree.files:
        if _is_test(file) or file.parts[0] == "tests":
            continue
        if file.suffix == ".sql":
            pieces = [(1, re.sub(r"--[^\n]*", "", file.text))]
        elif file.suffix in (".h", ".cc"):
            pieces = [(line, text) for line, text in file.string_literals if statement.match(text)]
        else:
            continue
        for first_line, text in pieces:
            for pattern, name in _FOREIGN_SQL.items():
                for match in re.finditer(pattern, text, re.IGNORECASE):
                    yield file.path, first_line + line_of(text, match.start()) - 1, f"uses {name}"


def migrations_are_numbered(tree: Tree):
    sets = {}
    for file in tree.files:
        if file.suffix != ".sql" or "migrations" not in file.parts:
            continue
        match = re.fullmatch(r"V([1-9]\d*)__[a-z0-9_]+\.sql", file.name)
        if not match:
            yield file.path, 1, "a migration is named V<number>__<what_it_does>.sql"
            continue
        sets.setdefault(file.parts[:-1], {}).setdefault(int(match.group(1)), []).append(file.path)
    for versions in sets.values():
        for expected, version in enumerate(sorted(versions), start=1):
            paths = versions[version]
            if len(paths) > 1:
                yield paths[1], 1, f"version {version} is there twice"
            if version != expected:
                yield paths[0], 1, f"version {expected} is missing before {version}"
                break


# The clock and chance are passed in. libs/time has the clocks; libs/testing launches servers and
# has to wait for them.
_CLOCK_OWNERS = {"time", "testing"}
_UNTESTABLE = {
    r"\bsystem_clock\s*::\s*now\b": "take a Clock&",
    r"\b(?:std\s*::\s*)?s?rand\s*\(|\barc4random\w*\s*\(": "take a seed",
    r"\bsleep_(?:for|until)\s*\(|\b(?:u|nano)?sleep\s*\(": "wait for a condition under a deadline",
    r"\bgettimeofday\s*\(|\bclock_gettime\s*\(|(?<![\w.>])(?:std\s*::\s*|::\s*)?time\s*\(\s*"
    r"(?:nullptr|NULL|0|&\w+)\s*\)": "take a Clock&",
}


def time_and_chance_are_passed_in(tree: Tree):
    for file in tree.cpp:
        if library_of(file) in _CLOCK_OWNERS:
            continue
        for pattern, advice in _UNTESTABLE.items():
            for match in re.finditer(pattern, file.code):
                yield (file.path, line_of(file.code, match.start()),
                       f"{match.group().strip()}: {advice}")


def libraries_have_no_cycles(tree: Tree):
    needs, where = {}, {}
    for file in tree.cpp:
        library = library_of(file)
        if library is None or _is_test(file):
            continue
        for include in file.includes:
            target = included_library(include)
            if target and target != library:
                needs.setdefault(library, set()).add(target)
                where.setdefault((library, target), (file.path, include.line))

    done, reported = set(), set()

    def visit(library, trail):
        if library in trail:
            cycle = trail[trail.index(library):] + [library]
            key = frozenset(cycle)
            if key not in reported:
                reported.add(key)
                yield *where[(cycle[-2], cycle[-1])], "libraries in a circle: " + " > ".join(cycle)
            return
        if library in done:
            return
        for target in sorted(needs.get(library, ())):
            yield from visit(target, trail + [library])
        done.add(library)

    for library in sorted(needs):
        yield from visit(library, [])


def libraries_include_public_headers_only(tree: Tree):
    libraries = set(tree.folders_in("libs"))
    # A library's include/, or one of its parts': net/testing/include holds what only tests need.
    public = {(file.parts[1], "/".join(file.parts[at + 1:]))
              for file in tree.cpp if library_of(file)
              for at, part in enumerate(file.parts) if part == "include"}
    for file in tree.cpp:
        for include in file.includes:
            library = included_library(include)
            if library in libraries and (library, include.path) not in public:
                yield file.path, include.line, f"{include.path} is no public header of {library}"


def every_part_has_a_readme(tree: Tree):
    for top in ("libs", "services"):
        for part in tree.folders_in(top):
            files = [file for file in tree.files if file.parts[:2] == (top, part)]
            if files and f"{top}/{part}/README.md" not in tree.paths:
                yield f"{top}/{part}/README.md", 1, "is missing: purpose, what it owns, how to change it"


def names_say_what_it_is(tree: Tree):
    vague = re.compile(r"(?:^|_)(?:managers?|helpers?|utils?|utility|utilities|common)(?:_|$)")
    vague_type = re.compile(
        r"\b(?:class|struct|enum\s+class|namespace)\s+(\w*(?:Manager|Helper|Util|Utils|Common)"
        r"(?![a-z])\w*)")
    for file in tree.files:
        for part in (*file.parts[:-1], file.name.split(".")[0]):
            if vague.search(part.lower()):
                yield file.path, 1, f"{part} does not say what it is for"
                break
        if file.suffix in (".h", ".cc"):
            if not re.fullmatch(r"[a-z0-9_]+", file.name[: -len(file.suffix)]):
                yield file.path, 1, "file names are snake_case"
            for match in vague_type.finditer(file.code):
                yield (file.path, line_of(file.code, match.start()),
                       f"{match.group(1)} does not say what it is for")
        elif file.suffix in (".cpp", ".cxx", ".hpp", ".hh"):
            yield file.path, 1, "C++ files end in .h and .cc"


def headers_are_guarded(tree: Tree):
    for file in tree.cpp:
        if file.suffix == ".h" and not re.search(r"^\s*#\s*pragma\s+once\b", file.code, re.MULTILINE):
            yield file.path, 1, "has no #pragma once"


def tests_state_their_goal(tree: Tree):
    for file in tree.cpp:
        if file.name.endswith("_test.cc") and "// Goal:" not in file.text:
            yield file.path, 1, 'a test opens with "// Goal: …"'


def enums_begin_unspecified(tree: Tree):
    enum = re.compile(r"\benum\s+(\w+)\s*\{([^}]*)\}")
    for file in tree.files:
        if file.suffix != ".proto":
            continue
        text = re.sub(r"//[^\n]*", lambda match: " " * len(match.group()), file.text)
        for match in enum.finditer(text):
            first = re.search(r"(\w+)\s*=\s*(-?\d+)", match.group(2))
            if not first or first.group(2) != "0" or not first.group(1).endswith("_UNSPECIFIED"):
                yield (file.path, line_of(text, match.start()),
                       f"enum {match.group(1)} begins with …_UNSPECIFIED = 0")


def packages_follow_their_path(tree: Tree):
    for file in tree.files:
        if file.suffix != ".proto":
            continue
        expected = ".".join(file.parts[1:-1])
        match = re.search(r"^package\s+([\w.]+)\s*;", file.text, re.MULTILINE)
        if not match or match.group(1) != expected:
            yield file.path, 1, f"package must be {expected}"


_LAMBDA = re.compile(r"(?<![\w\])])\s*\[([^\[\]]*)\]\s*(?=[({<]|->|mutable\b)")


def _end_of_expression(code, start):
    """Where the full expression ends that goes on at `start`."""
    depth = 0
    for at in range(start, len(code)):
        if code[at] in "([{":
            depth += 1
        elif code[at] in ")]}":
            depth -= 1
            # The end of `if (co_await …)`, or of a group within the same expression.
            if depth < 0 and not re.match(r"\)\s*(?:[.,)]|->)", code[at:at + 80]):
                return at
            depth = max(depth, 0)
        elif code[at] == ";" and depth == 0:
            return at
    return len(code)


def _end_of_braces(code, opening):
    depth = 0
    for at in range(opening, len(code)):
        depth += {"{": 1, "}": -1}.get(code[at], 0)
        if depth == 0:
            return at + 1
    return len(code)


def awaits_own_nothing_built_in_place(tree: Tree):
    """GCC 12 destroys twice what a full expression with a co_await builds in place, if it is a lambda
    with a capture that has a destructor or an aggregate in braces. A type's destructor can't be seen
    here, so none of them is let through: name it first, capture by reference. Looked at is what is
    written behind the co_await; default arguments of the callee are built in place too."""
    for file in tree.cpp:
        code = file.code
        for await_ in re.finditer(r"(?<!operator )\bco_await\b", code):
            at, end = await_.end(), _end_of_expression(code, await_.end())
            while at < end:
                lambda_ = _LAMBDA.search(code, at, end)
                brace = code.find("{", at, end)
                if lambda_ and lambda_.start() < brace:
                    for capture in filter(None, map(str.strip, lambda_.group(1).split(","))):
                        if capture != "this" and not capture.startswith("&"):
                            yield (file.path, line_of(code, lambda_.start(1)),
                                   f"an awaited lambda captures {capture} by value")
                            break
                    at = _end_of_braces(code, brace)
                elif brace >= 0:
                    yield (file.path, line_of(code, brace),
                           "something in braces is built within a co_await expression")
                    at = _end_of_braces(code, brace)
                else:
                    break


# A range that points into a temporary: `*Load()`, `Load().value()`, `Load()->rows`. Protobuf's
# mutable_…() give pointers into what lives on.
_POINTS_INTO_A_TEMPORARY = re.compile(
    r"\A\s*\*(?!.*\bmutable_\w+\s*\(\s*\)\s*\Z)(?!\s*std::move).*\)\s*\Z|"
    r"\)\s*\.\s*value\s*\(\s*\)|\)\s*->", re.DOTALL)


def loops_do_not_outlive_their_ranges(tree: Tree):
    """C++20 ends the temporaries of a range-for's header before the loop begins, but for the range
    itself. A Result in there, or a pointer, is gone then, and what it held with it."""
    for file in tree.cpp:
        for match in re.finditer(r"\bfor\s*\(", file.code):
            end = _end_of_expression(file.code, match.end())
            range_ = re.search(r"[^:]:(?!:)(.*)", file.code[match.end():end], re.DOTALL)
            # A list in braces has values of its own.
            if (file.code[end:end + 1] == ")" and range_
                    and not range_.group(1).lstrip().startswith("{")
                    and _POINTS_INTO_A_TEMPORARY.search(range_.group(1))):
                yield (file.path, line_of(file.code, match.start()),
                       "a loop through what a temporary holds: name the temporary first")


def _is_test(file):
    return "tests" in file.parts


RULES = (
    layers_point_inward,
    headers_are_named_from_the_service,
    services_do_not_know_each_other,
    libraries_do_not_include_services,
    wire_types_stay_at_the_edge,
    domain_is_pure,
    use_cases_work_through_ports,
    drivers_are_wrapped_once,
    sql_lives_in_storage,
    sql_runs_on_all_servers,
    migrations_are_numbered,
    time_and_chance_are_passed_in,
    libraries_have_no_cycles,
    libraries_include_public_headers_only,
    every_part_has_a_readme,
    names_say_what_it_is,
    headers_are_guarded,
    tests_state_their_goal,
    enums_begin_unspecified,
    packages_follow_their_path,
    awaits_own_nothing_built_in_place,
    loops_do_not_outlive_their_ranges,
)


def check(tree: Tree, rules=RULES) -> list[Finding]:
    return [Finding(path, line, rule.__name__, message)
            for rule in rules for path, line, message in rule(tree)]
