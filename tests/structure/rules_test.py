#!/usr/bin/env python3
"""Goal: a rule that never fires protects nothing.
Method: for every rule of rules.py, trees with one bad file each, on which it must fire exactly at the
place expected, and good trees, on which it must rest; and the clang-format check on both.
"""

import sys
import tempfile
import unittest
from pathlib import Path

import check_format
import check_structure
import rules
from source_tree import Tree, blank_comments_and_literals

# rule: ([bad trees, each with the "path:line" to be found], [good trees])
EXAMPLES = {
    "layers_point_inward": (
        [({"services/a/domain/x.h": '#include "app/y.h"\n'}, "services/a/domain/x.h:1"),
         ({"services/a/app/x.cc": '#include <vector>\n#include "storage/y.h"\n'},
          "services/a/app/x.cc:2"),
         ({"services/a/app/x.cc": '#include "transport/y.h"\n'}, "services/a/app/x.cc:1"),
         ({"services/a/storage/x.cc": '#include "transport/y.h"\n'}, "services/a/storage/x.cc:1"),
         ({"services/a/transport/x.cc": '#include "wiring/y.h"\n'}, "services/a/transport/x.cc:1"),
         ({"services/a/transport/deep/x.cc": '#  include "storage/y.h"\n'},
          "services/a/transport/deep/x.cc:1")],
        [{"services/a/domain/x.cc": '#include "domain/x.h"\n// #include "app/y.h"\n',
          "services/a/storage/x.cc": '#include "app/y.h"\n#include "domain/x.h"\n',
          "services/a/wiring/x.cc": '#include "storage/x.h"\n#include "transport/y.h"\n',
          "services/a/main.cc": '#include "storage/x.h"\n#include "wiring/y.h"\n',
          "services/a/tests/x_test.cc": '#include "storage/x.h"\n#include "transport/y.h"\n'}]),
    "headers_are_named_from_the_service": (
        [({"services/a/domain/x.cc": '#include "x.h"\n'}, "services/a/domain/x.cc:1"),
         ({"services/a/transport/x.cc": '#include "options.h"\n'}, "services/a/transport/x.cc:1"),
         ({"services/a/wiring/x.cc": '#include "x.h"\n'}, "services/a/wiring/x.cc:1"),
         ({"libs/a/src/x.cc": '#include "../../b/src/y.h"\n'}, "libs/a/src/x.cc:1")],
        [{"services/a/domain/x.cc": '#include "domain/x.h"\n',
          "services/a/wiring/x.cc": '#include "options.h"\n#include "wiring/x.h"\n',
          "libs/a/src/x.cc": '#include "private.h"\n'}]),
    "services_do_not_know_each_other": (
        [({"services/a/x.h": "", "services/b/app/y.cc": '#include "services/a/x.h"\n'},
          "services/b/app/y.cc:1"),
         ({"services/a/x.h": "", "services/b/app/y.cc": '#include "kessai/a/x.h"\n'},
          "services/b/app/y.cc:1"),
         ({"services/a/x.h": "", "services/b/CMakeLists.txt": "x(\n  DEPS a_domain)\n"},
          "services/b/CMakeLists.txt:2"),
         ({"services/a/x.h": "", "libs/b/CMakeLists.txt": "x(DEPS a_storage)\n"},
          "libs/b/CMakeLists.txt:1")],
        [{"services/a/x.h": "",
          "services/b/app/y.cc": '#include "kessai/a/v1/a_service.pb.h"\n#include "app/y.h"\n',
          "services/b/CMakeLists.txt": "x(DEPS b_domain)  # not a_domain\n",
          "services/a/CMakeLists.txt": "x(DEPS a_domain)\n"}]),
    "libraries_do_not_include_services": (
        [({"libs/a/src/x.cc": '\n#include "domain/y.h"\n'}, "libs/a/src/x.cc:2")],
        [{"libs/a/src/x.cc": '#include "kessai/a/x.h"\n'}]),
    "wire_types_stay_at_the_edge": (
        [({"services/a/domain/x.h": '#include "kessai/a/v1/a.pb.h"\n'}, "services/a/domain/x.h:1"),
         ({"services/a/app/x.h": '#include "kessai/a/v1/a_service.grpc.pb.h"\n'},
          "services/a/app/x.h:1"),
         ({"services/a/app/x.h": "#include <grpcpp/grpcpp.h>\n"}, "services/a/app/x.h:1"),
         ({"services/a/app/x.h": '#include "kessai/rpc/server.h"\n'}, "services/a/app/x.h:1"),
         ({"services/a/app/x.h": "#include <google/protobuf/message.h>\n"}, "services/a/app/x.h:1")],
        [{"services/a/storage/x.cc": '#include "kessai/a/v1/a.pb.h"\n',
          "services/a/transport/x.cc": "#include <grpcpp/grpcpp.h>\n"}]),
    "domain_is_pure": (
        [({"services/a/domain/x.cc": '#include "kessai/mysql/session.h"\n'},
          "services/a/domain/x.cc:1"),
         ({"services/a/domain/x.cc": '#include "kessai/log/log.h"\n'}, "services/a/domain/x.cc:1"),
         ({"services/a/domain/x.cc": '#include "kessai/net/task.h"\n'},
          "services/a/domain/x.cc:1"),
         ({"services/a/domain/x.cc": '#include "kessai/digest/store.h"\n'},
          "services/a/domain/x.cc:1"),
         ({"services/a/domain/x.cc": "#include <fstream>\n"}, "services/a/domain/x.cc:1"),
         ({"services/a/domain/x.cc": "\nauto t = clock.Now();\n"}, "services/a/domain/x.cc:2"),
         ({"services/a/domain/x.cc": "Use(SystemClock());\n"},
          "services/a/domain/x.cc:1")],
        [{"services/a/domain/x.cc": '#include "kessai/money/money.h"\n#include <vector>\n'
                                    '#include "kessai/net/address.h"\n'
                                    "// not clock.Now()\nauto due = IsDue(now);\n",
          "services/a/app/x.cc": "auto t = clock_.Now();\n"}]),
    "use_cases_work_through_ports": (
        [({"services/a/app/x.h": '#include "kessai/mysql/session.h"\n'}, "services/a/app/x.h:1"),
         ({"services/a/app/x.h": '#include "kessai/kafka/producer.h"\n'}, "services/a/app/x.h:1"),
         ({"services/a/app/x.h": '#include "kessai/digest/store.h"\n'}, "services/a/app/x.h:1")],
        [{"services/a/app/x.h": '#include "kessai/money/money.h"\n#include "kessai/log/log.h"\n'
                                '#include "kessai/net/task.h"\n'
                                '#include "kessai/rpc/worker_pool.h"\n',
          "services/a/storage/x.h": '#include "kessai/mysql/session.h"\n'}]),
    "drivers_are_wrapped_once": (
        [({"services/a/storage/x.cc": "#include <cppconn/driver.h>\n"},
          "services/a/storage/x.cc:1"),
         ({"libs/outbox/src/x.cc": "#include <librdkafka/rdkafkacpp.h>\n"}, "libs/outbox/src/x.cc:1"),
         ({"libs/kafka/src/x.cc": "#include <hiredis/hiredis.h>\n"}, "libs/kafka/src/x.cc:1"),
         ({"tests/e2e/x.cc": '#include "hiredis.h"\n'}, "tests/e2e/x.cc:1")],
        [{"libs/mysql/src/x.cc": "#include <cppconn/driver.h>\n",
          "libs/kafka/src/x.cc": "#include <librdkafka/rdkafkacpp.h>\n",
          "libs/redis/src/x.cc": "#include <hiredis/hiredis.h>\n"}]),
    "sql_lives_in_storage": (
        [({"services/a/transport/x.cc": "constexpr mysql::Query kQuery{};\n"},
          "services/a/transport/x.cc:1"),
         ({"services/a/main.cc": "constexpr kessai::mysql::Query kQuery{};\n"},
          "services/a/main.cc:1")],
        [{"services/a/storage/x.cc": "constexpr mysql::Query kQuery{};\n",
          "services/a/transport/x.cc": "Status Apply(mysql::Session& session);\n"}]),
    "sql_runs_on_all_servers": (
        [({"services/a/storage/x.cc": 'auto q = R"sql(\n  SELECT 1 FOR UPDATE\n  SKIP LOCKED)sql";\n'},
          "services/a/storage/x.cc:3"),
         ({"services/a/storage/x.cc": 'auto q = "DELETE FROM a RETURNING id";\n'},
          "services/a/storage/x.cc:1"),
         ({"services/a/storage/x.cc": 'auto q = "SELECT 1 LOCK IN SHARE MODE";\n'},
          "services/a/storage/x.cc:1"),
         ({"services/a/migrations/V1__x.sql": "SELECT 1;\nCREATE SEQUENCE s;\n"},
          "services/a/migrations/V1__x.sql:2"),
         ({"libs/a/migrations/V1__x.sql": "create trigger t after insert on a;\n"},
          "libs/a/migrations/V1__x.sql:1")],
        [{"services/a/storage/x.cc": 'auto q = "SELECT 1 FOR UPDATE";\n// no SKIP LOCKED here\n'
                                     'auto text = "nothing RETURNING here";\n',
          "services/a/migrations/V1__x.sql": "-- no RETURNING\nCREATE TABLE a (id INT);\n"}]),
    "migrations_are_numbered": (
        [({"services/a/migrations/1_x.sql": ""}, "services/a/migrations/1_x.sql:1"),
         ({"services/a/migrations/V2__x.sql": ""}, "services/a/migrations/V2__x.sql:1"),
         ({"services/a/migrations/V1__x.sql": "", "services/a/migrations/V1__y.sql": ""},
          "services/a/migrations/V1__y.sql:1")],
        [{f"services/a/migrations/V{number}__x.sql": "" for number in range(1, 12)}]),
    "time_and_chance_are_passed_in": (
        [({"libs/a/src/x.cc": "auto t = std::chrono::system_clock::now();\n"}, "libs/a/src/x.cc:1"),
         ({"services/a/app/x.cc": "\nint x = rand();\n"}, "services/a/app/x.cc:2"),
         ({"services/a/tests/x_test.cc": "std::this_thread::sleep_for(1s);\n"},
          "services/a/tests/x_test.cc:1"),
         ({"libs/a/src/x.cc": "usleep(10);\n"}, "libs/a/src/x.cc:1"),
         ({"libs/a/src/x.cc": "auto t = time(nullptr);\n"}, "libs/a/src/x.cc:1")],
        [{"libs/time/src/x.cc": "auto t = std::chrono::system_clock::now();\n",
          "libs/testing/src/x.cc": "std::this_thread::sleep_for(1ms);\n",
          "libs/a/src/x.cc": "// rand() and sleep_for(1s)\n"
                             'auto s = "system_clock::now";\n'
                             "auto n = 1'000; int operand(); auto t = row.time(0); Runtime(nullptr);\n"
                             "std::mt19937 random(seed); auto x = random();\n"}]),
    "libraries_have_no_cycles": (
        [({"libs/a/src/x.cc": '#include "kessai/b/y.h"\n', "libs/b/src/y.cc": '#include "kessai/a/x.h"\n'},
          "libs/b/src/y.cc:1"),
         ({"libs/a/src/x.cc": '#include "kessai/b/y.h"\n', "libs/b/src/y.cc": '#include "kessai/c/y.h"\n',
           "libs/c/src/y.cc": '\n#include "kessai/b/x.h"\n'}, "libs/c/src/y.cc:2")],
        [{"libs/a/src/x.cc": '#include "kessai/b/y.h"\n#include "kessai/c/y.h"\n',
          "libs/b/src/y.cc": '#include "kessai/c/x.h"\n',
          "libs/c/tests/x_test.cc": '#include "kessai/a/x.h"\n'}]),
    "libraries_include_public_headers_only": (
        [({"libs/a/src/secret.h": "", "services/s/app/x.cc": '#include "kessai/a/secret.h"\n'},
          "services/s/app/x.cc:1")],
        [{"libs/a/include/kessai/a/x.h": "",
          "libs/a/testing/include/kessai/a/testing/y.h": "",
          "services/s/app/x.cc": '#include "kessai/a/x.h"\n#include "kessai/a/v1/x.pb.h"\n',
          "libs/b/tests/x_test.cc": '#include "kessai/a/testing/y.h"\n'}]),
    "every_part_has_a_readme": (
        [({"libs/a/src/x.cc": ""}, "libs/a/README.md:1"),
         ({"services/a/main.cc": ""}, "services/a/README.md:1")],
        [{"libs/a/src/x.cc": "", "libs/a/README.md": "# a\n"}]),
    "names_say_what_it_is": (
        [({"libs/common/src/x.cc": ""}, "libs/common/src/x.cc:1"),
         ({"libs/a/src/string_utils.cc": ""}, "libs/a/src/string_utils.cc:1"),
         ({"libs/a/src/x.h": "class PaymentManager {};\n"}, "libs/a/src/x.h:1"),
         ({"libs/a/src/x.h": "\nstruct FooHelper;\n"}, "libs/a/src/x.h:2"),
         ({"libs/a/src/CamelCase.cc": ""}, "libs/a/src/CamelCase.cc:1"),
         ({"libs/a/src/x.cpp": ""}, "libs/a/src/x.cpp:1")],
        [{"libs/a/src/x.h": "class Utilization {}; struct CommonsRoom;  // no FooManager\n",
          "libs/a/src/commonly_used.cc": ""}]),
    "headers_are_guarded": (
        [({"libs/a/src/x.h": "// #pragma once\n"}, "libs/a/src/x.h:1")],
        [{"libs/a/src/x.h": "#pragma once\n"}]),
    "tests_state_their_goal": (
        [({"libs/a/tests/x_test.cc": "TEST(A, B) {}\n"}, "libs/a/tests/x_test.cc:1")],
        [{"libs/a/tests/x_test.cc": "// Goal: a.\n// Method: b.\nTEST(A, B) {}\n"}]),
    "enums_begin_unspecified": (
        [({"proto/kessai/a/v1/a.proto": "package kessai.a.v1;\nenum Kind {\n  PAID = 0;\n}\n"},
          "proto/kessai/a/v1/a.proto:2")],
        [{"proto/kessai/a/v1/a.proto": "enum Kind {\n  // none\n  KIND_UNSPECIFIED = 0;\n  PAID = 1;\n}\n"}]),
    "packages_follow_their_path": (
        [({"proto/kessai/a/v1/a.proto": "package kessai.b.v1;\n"}, "proto/kessai/a/v1/a.proto:1"),
         ({"proto/kessai/a/v1/a.proto": ""}, "proto/kessai/a/v1/a.proto:1")],
        [{"proto/kessai/a/v1/a.proto": "package kessai.a.v1;\n"}]),
    "awaits_own_nothing_built_in_place": (
        [({"libs/a/src/x.cc": "auto x = co_await Run(pool, [this, name] { return Find(name); });\n"},
          "libs/a/src/x.cc:1"),
         ({"libs/a/src/x.cc": "co_return co_await\n    Run([&x,\n         id = *id_] { return 1; });\n"},
          "libs/a/src/x.cc:2"),
         ({"libs/a/src/x.cc": "if (co_await Run([=]() -> int { return n; })) Go();\n"},
          "libs/a/src/x.cc:1"),
         ({"libs/a/src/x.cc": "co_await Send(\n    Request{.body = body});\n"}, "libs/a/src/x.cc:2"),
         ({"libs/a/src/x.cc": "auto reply = co_await Send({body, 1});\n"}, "libs/a/src/x.cc:1"),
         ({"libs/a/src/x.cc": "auto x = (co_await first).Then([x] {});\n"}, "libs/a/src/x.cc:1")],
        [{"libs/a/src/x.cc": "auto x = co_await Run(pool, [this, &name] { return Wish{name}; });\n"
                             "if (co_await Run([] { return 1; })) { Go(); }\n"
                             "for (;;) co_await loop.Sleep(waits[2]);\n"
                             "const Wish wish{name};\nco_await Send(wish);\n"
                             "auto operator co_await() { struct A { int x; }; return A{1}; }\n"
                             "RunOn(loop, [x]() -> Task<void> { co_await x.Stop(); });\n"
                             "// co_await Send({1});\n"}]),
    "loops_do_not_outlive_their_ranges": (
        [({"libs/a/src/x.cc": "for (const auto& row : Load(day)->rows) Use(row);\n"},
          "libs/a/src/x.cc:1"),
         ({"libs/a/src/x.cc": "\nfor (const std::string& row :\n     store.Load(day)->rows()) {\n}\n"},
          "libs/a/src/x.cc:2"),
         ({"libs/a/src/x.cc": "for (auto& row : *store->Load(day)) Use(row);\n"}, "libs/a/src/x.cc:1"),
         ({"libs/a/src/x.cc": "for (auto& row : Load(day).value()) Use(row);\n"},
          "libs/a/src/x.cc:1")],
        [{"libs/a/src/x.cc": "for (const auto& row : *loaded) Use(row);\n"
                             "for (auto& row : *message.mutable_rows()) Use(row);\n"
                             "for (auto* file : {A()->file(), B()->file()}) Use(file);\n"
                             "for (const auto& row : loaded->rows) Use(Find(row)->name);\n"
                             "for (std::size_t i = 0; i < Find(x)->size(); ++i) Use(i);\n"
                             "for (const std::string& row : rows) Find(row)->Go();\n"}]),
}


class TreeFixture:
    """A tree in a temporary folder, made from {path: text}."""

    def __init__(self, files):
        self._folder = tempfile.TemporaryDirectory()
        self.root = Path(self._folder.name)
        for path, text in files.items():
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._folder.cleanup()


class RulesTest(unittest.TestCase):
    def test_every_rule_has_examples(self):
        self.assertEqual({rule.__name__ for rule in rules.RULES}, set(EXAMPLES))
        for name, (bad, good) in EXAMPLES.items():
            self.assertTrue(bad and good, name)

    def test_each_fires_on_what_is_bad(self):
        for rule in rules.RULES:
            for files, place in EXAMPLES[rule.__name__][0]:
                with self.subTest(rule=rule.__name__, files=files), TreeFixture(files) as tree:
                    found = rules.check(Tree(tree.root), [rule])
                    self.assertEqual([f"{f.path}:{f.line}" for f in found], [place])

    def test_each_rests_on_what_is_good(self):
        for rule in rules.RULES:
            for files in EXAMPLES[rule.__name__][1]:
                with self.subTest(rule=rule.__name__), TreeFixture(files) as tree:
                    self.assertEqual([str(f) for f in rules.check(Tree(tree.root), [rule])], [])

    def test_build_output_is_not_looked_at(self):
        with TreeFixture({"libs/a/build/x.cc": "rand();\n", "build/libs/x.cc": "rand();\n"}) as tree:
            self.assertEqual(Tree(tree.root).files, [])

    def test_the_command_fails_when_there_are_findings_or_no_tree(self):
        with TreeFixture({"libs/a/src/x.cc": "int x = rand();\n"}) as tree:
            self.assertEqual(check_structure.main(str(tree.root)), 1)
        with TreeFixture({"libs/a/src/x.cc": "int x;\n", "libs/a/README.md": "# a\n"}) as tree:
            self.assertEqual(check_structure.main(str(tree.root)), 0)
        with TreeFixture({}) as tree:
            self.assertEqual(check_structure.main(str(tree.root)), 2)


class SourceTextTest(unittest.TestCase):
    """What hides code from the rules, and what only looks as if it did."""

    def blanked(self, text):
        result = blank_comments_and_literals(text)
        self.assertEqual(len(result), len(text))
        self.assertEqual(result.count("\n"), text.count("\n"))
        return result

    def test_comments_and_literals_are_blanked(self):
        for text in ('"rand()"', "// rand()", "/* a\nrand() */", 'R"sql(a "rand()" )" rand())sql"',
                     r'"a\"rand()"', "// a\\\nrand()", 'u8R"(rand())"'):
            self.assertNotIn("rand", self.blanked(text), text)

    def test_code_beside_them_stays(self):
        for text in ("1'000 + rand() + 2'000", "'\"' + rand() + '\"'", r"'\'' + rand()",
                     '"//" + rand()', '"/*" + rand()', "/**/ rand()", "0xFF'FF rand() 'x'"):
            self.assertIn("rand()", self.blanked(text), text)


class FormatTest(unittest.TestCase):
    def test_names_what_is_not_formatted(self):
        style = {".clang-format": "BasedOnStyle: Google\n"}
        with TreeFixture({**style, "libs/a/src/x.cc": "int  x;\n"}) as tree:
            self.assertEqual(check_format.main(str(tree.root)), 1)
            self.assertIn("libs/a/src/x.cc:1", check_format.badly_formatted(tree.root, "clang-format")[0])
        with TreeFixture({**style, "libs/a/src/x.cc": "int x;\n"}) as tree:
            self.assertEqual(check_format.main(str(tree.root)), 0)

    def test_a_missing_or_broken_tool_is_no_success(self):
        with TreeFixture({"libs/a/src/x.cc": "int x;\n"}) as tree:
            self.assertEqual(check_format.main(str(tree.root), "no-such-clang-format"), 2)
            self.assertEqual(check_format.main(str(tree.root), "false"), 1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
