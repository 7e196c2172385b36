/*
 * Comparing runs on Skerry and on Linux, with consoles that were written down.
 */
#include <stdlib.h>
#include <string.h>
#include <unit.h>

#include "compare.h"
#include "linux.h"

static const struct item files = {.kind = BOOT_TEST, .name = "files", .program = "/bin/files"};

#define SAME                                                                                       \
	"Booting\r\n@test name=open result=pass\r\n@test name=link result=pass\r\n@exit "          \
	"code=0\r\n"

/* A comparison with the list of differences @text. */
static struct comparison *new_comparison(const char *text)
{
	struct comparison *c = alloc(sizeof(*c));
	char *file = strf("%s/compare-test-differences", build_dir());

	file_write(file, text, strlen(text));
	compare_load(c, file);
	return c;
}

/* Judges @c where "files" and "sockets" are the tests that run Linux programs. */
static size_t judge(struct comparison *c)
{
	struct strv known = {0};

	strv_split(&known, "files sockets");
	return compare_judge(c, &known);
}

TEST(runs_that_say_the_same_do_not_differ)
{
	struct comparison *c = new_comparison("");

	compare_add(c, &files, "Skerry\n" SAME, "\033[2J" SAME);
	CHECK_EQUAL(c->found.n, 0);
	CHECK_EQUAL(c->ncases, 3); /* the exit code is one */
	CHECK_EQUAL(judge(c), 0);
}

TEST(case_with_another_result_differs)
{
	struct comparison *c = new_comparison("");

	compare_add(c, &files, "@test name=open result=fail detail=x.c:1\r\n@exit code=1\r\n",
		    "@test name=open result=pass\r\n@exit code=0\r\n");
	REQUIRE(c->found.n == 1); /* that the exit code differs, too, says nothing new */
	CHECK_STRING(c->found.v[0].test, "files");
	CHECK_STRING(c->found.v[0].name, "open");
	CHECK_STRING(c->found.v[0].skerry, "fail");
	CHECK_STRING(c->found.v[0].linux_, "pass");
	CHECK(c->found.v[0].reason == NULL);
	CHECK_EQUAL(judge(c), 1);
}

TEST(case_that_one_side_does_not_show_differs)
{
	struct comparison *c = new_comparison("");

	compare_add(c, &files, "@test name=open result=pass\n@test name=mine result=pass\n",
		    "@test name=theirs result=skip\n@test name=open result=pass\n");
	REQUIRE(c->found.n == 2);
	CHECK_STRING(c->found.v[0].name, "theirs");
	CHECK_STRING(c->found.v[0].skerry, "-");
	CHECK_STRING(c->found.v[0].linux_, "skip");
	CHECK_STRING(c->found.v[1].name, "mine");
	CHECK_STRING(c->found.v[1].linux_, "-");
}

TEST(order_of_cases_does_not_matter)
{
	struct comparison *c = new_comparison("");

	compare_add(c, &files, "@test name=a result=pass\n@test name=b result=fail\n@exit code=1\n",
		    "@test name=b result=fail\n@test name=a result=pass\n@exit code=1\n");
	CHECK_EQUAL(c->found.n, 0);
}

TEST(exit_code_is_compared_where_cases_are_the_same)
{
	struct comparison *c = new_comparison("");

	compare_add(c, &files, "@test name=a result=pass\n@exit code=139\n",
		    "@test name=a result=pass\n@exit code=0\n");
	REQUIRE(c->found.n == 1);
	CHECK_STRING(c->found.v[0].name, "exit");
	CHECK_STRING(c->found.v[0].skerry, "139");
}

TEST(text_that_the_test_wants_is_a_case)
{
	const char *wanted[] = {"two words"};
	struct item it = {.kind = BOOT_TEST, .name = "files", .says = {wanted, 1}};
	struct comparison *c = new_comparison("");

	compare_add(c, &it, "just one\r\n@exit code=0\r\nhake: never showed \"two words\"\n",
		    "two words\r\n@exit code=0\r\n");
	REQUIRE(c->found.n == 1);
	CHECK_STRING(c->found.v[0].name, "says:two_words");
	CHECK_STRING(c->found.v[0].skerry, "no");
	CHECK_STRING(c->found.v[0].linux_, "yes");
}

TEST(case_that_contradicts_itself_differs_from_one_that_does_not)
{
	struct comparison *c = new_comparison("");

	compare_add(c, &files, "@test name=a result=pass\n@test name=a result=fail\n",
		    "@test name=a result=pass\n@test name=a result=pass\n");
	REQUIRE(c->found.n == 1);
	CHECK_STRING(c->found.v[0].skerry, "pass,fail");
}

TEST(line_that_is_cut_off_is_no_case)
{
	struct cases cases =
		compare_read(&files, "x @test name=a result=pass\n@test name=b\n@test");

	CHECK_EQUAL(cases.n, 0);
}

TEST(difference_that_is_listed_is_no_error)
{
	struct comparison *c = new_comparison("# why\n\nfiles  open  skip pass  no sockets yet\n");

	compare_add(c, &files, "@test name=open result=skip\n", "@test name=open result=pass\n");
	REQUIRE(c->found.n == 1);
	CHECK_STRING(c->found.v[0].reason, "no sockets yet");
	CHECK_EQUAL(c->nlisted, 1);
	CHECK_EQUAL(judge(c), 0);
}

TEST(difference_that_is_listed_otherwise_is_an_error_and_so_is_its_line)
{
	struct comparison *c = new_comparison("files open skip pass no sockets yet\n");

	compare_add(c, &files, "@test name=open result=fail\n", "@test name=open result=pass\n");
	CHECK_EQUAL(judge(c), 2);
	CHECK_EQUAL(c->invalid.n, 1);
}

TEST(listed_difference_that_is_none_any_more_is_an_error)
{
	struct comparison *c = new_comparison("\nfiles open skip pass no sockets yet\n");

	compare_add(c, &files, SAME, SAME);
	CHECK_EQUAL(judge(c), 1);
	REQUIRE(c->invalid.n == 1);
	CHECK(strstr(c->invalid.v[0], ":2: files open is no longer skip on Skerry") != NULL);
}

TEST(listed_difference_of_a_test_that_did_not_run_is_kept)
{
	struct comparison *c = new_comparison("sockets open skip pass no sockets yet\n");

	compare_add(c, &files, SAME, SAME);
	CHECK_EQUAL(judge(c), 0);
}

TEST(listed_difference_of_an_unknown_test_is_an_error)
{
	struct comparison *c = new_comparison("file open skip pass no sockets yet\n");

	CHECK_EQUAL(judge(c), 1);
	REQUIRE(c->invalid.n == 1);
	CHECK(strstr(c->invalid.v[0], "did you mean \"files\"?") != NULL);
}

TEST(only_programs_with_a_path_from_the_root_run_on_linux)
{
	struct item native = {.kind = BOOT_TEST, .name = "x", .program = "bin/x"};
	struct item none = {.kind = BOOT_TEST, .name = "x"};
	struct item bench = {.kind = BENCHMARK, .name = "x", .program = "/bin/x"};

	CHECK(linux_can_run(&files));
	CHECK(!linux_can_run(&native));
	CHECK(!linux_can_run(&none));
	CHECK(!linux_can_run(&bench));
}
