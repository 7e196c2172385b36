/*
 * The kernel's command line, as the first process sees it (services/linux/bootwords.c).
 */
#include "../../services/linux/bootwords.h"

#include <stdlib.h>
#include <string.h>
#include <unit.h>

static char joined[1000];

/* The strings of @s with "|" between them. */
static const char *join(const struct strings *s)
{
	joined[0] = 0;
	for (u32 i = 0; i < s->count; i++)
		strcat(strcat(joined, i ? "|" : ""), strings_get(s, i));
	return joined;
}

static void check(const char *cmdline, const char *args, const char *env)
{
	struct bootwords words;

	CHECK_EQUAL(bootwords_read(&words, cmdline), 0);
	CHECK_STRING(join(&words.args), args);
	CHECK_STRING(join(&words.env), env);
	bootwords_free(&words);
}

TEST(unknown_words_are_arguments_and_environment)
{
	check("", "", "HOME=/|TERM=linux");
	check("single FOO=bar", "single", "HOME=/|TERM=linux|FOO=bar");
	check("  a\tb \n", "a|b", "HOME=/|TERM=linux");
	check("FOO=1 FOO=2 TERM=vt100", "", "HOME=/|FOO=2|TERM=vt100");
	check("EMPTY= =x", "=x", "HOME=/|TERM=linux|EMPTY=");
}

TEST(words_of_the_kernel_are_not_passed_on)
{
	check("quiet console=ttyS0 root=/dev/sda1 ro panic=-1", "", "HOME=/|TERM=linux");
	check("ignore-loglevel nokaslr module.parameter=1 dotted.flag", "", "HOME=/|TERM=linux");
	check("quietly", "quietly", "HOME=/|TERM=linux");
}

TEST(everything_behind_dashes_is_an_argument)
{
	check("a -- b quiet X=1 --", "a|b|quiet|X=1|--", "HOME=/|TERM=linux");
	check("--", "", "HOME=/|TERM=linux");
}

TEST(quotes_keep_blanks_together)
{
	check("A=\"x y\" \"B=1 2\" \"c d\"", "c d", "HOME=/|TERM=linux|A=x y|B=1 2");
	check("A=\"open end", "", "HOME=/|TERM=linux|A=open end");
	check("-- \"two words\" k=\"v w\"", "two words|k=v w", "HOME=/|TERM=linux");
}

TEST(naming_the_first_process_drops_arguments_so_far)
{
	struct bootwords words;

	CHECK_EQUAL(bootwords_read(&words, "lost rdinit=/bin/sh kept"), 0);
	CHECK_STRING(words.rdinit, "/bin/sh");
	CHECK(words.init == NULL);
	CHECK_STRING(join(&words.args), "kept");
	bootwords_free(&words);
	CHECK_EQUAL(bootwords_read(&words, "init=/a init=/b"), 0);
	CHECK_STRING(words.init, "/b");
	bootwords_free(&words);
}

TEST(value_is_found_before_the_dashes)
{
	char *value = bootwords_value("a=1 linux.trace=all b=\"x y\" -- c=2", "linux.trace");

	CHECK_STRING(value, "all");
	free(value);
	value = bootwords_value("b=\"x y\" -- c=2", "b");
	CHECK_STRING(value, "x y");
	free(value);
	CHECK(bootwords_value("b=\"x y\" -- c=2", "c") == NULL);
	CHECK(bootwords_value("abc=1", "bc") == NULL);
}
