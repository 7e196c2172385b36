/*
 * The line editor of services/init: what a person types, what the terminal shows.
 */
#include "../../services/console/line.h"
#include <string.h>
#include <unit.h>

static char echoed[4096];
static char echo[LINE_ECHO_MAX];

/* Type all of @text; returns how many lines became whole. */
static int type(struct line *line, const char *text)
{
	int whole = 0;

	echoed[0] = 0;
	for (; *text; text++) {
		whole += line_type(line, *text, echo);
		strcat(echoed, echo);
	}
	return whole;
}

TEST(line_ends_with_return_and_is_echoed)
{
	struct line line = {0};

	CHECK_EQUAL(type(&line, "cores\r"), 1);
	CHECK_STRING(line.text, "cores");
	CHECK_STRING(echoed, "cores\r\n");
}

TEST(return_and_line_feed_end_one_line)
{
	struct line line = {0};

	CHECK_EQUAL(type(&line, "a\r"), 1);
	line_begin(&line);
	CHECK_EQUAL(type(&line, "\nb\n"), 1);
	CHECK_STRING(line.text, "b");
}

TEST(erase_takes_a_whole_utf8_character)
{
	struct line line = {0};

	CHECK_EQUAL(type(&line, "a\xc3\xa4\x7f"
				"b\r"),
		    1);
	CHECK_STRING(line.text, "ab");
}

TEST(erase_of_an_empty_line_shows_nothing)
{
	struct line line = {0};

	CHECK_EQUAL(type(&line, "\x7f\b\x15"), 0);
	CHECK_STRING(echoed, "");
}

TEST(control_u_forgets_the_line_and_control_c_ends_it_empty)
{
	struct line line = {0};

	CHECK_EQUAL(type(&line, "abc\x15"
				"d\r"),
		    1);
	CHECK_STRING(line.text, "d");
	line_begin(&line);
	CHECK_EQUAL(type(&line, "poweroff\x03"), 1);
	CHECK_STRING(line.text, "");
}

TEST(line_that_is_too_long_keeps_its_beginning)
{
	struct line line = {0};

	for (unsigned i = 0; i < 2 * LINE_MAX_BYTES; i++)
		line_type(&line, 'x', echo);
	CHECK_EQUAL(type(&line, "\r"), 1);
	CHECK_EQUAL(strlen(line.text), LINE_MAX_BYTES);
}

TEST(words_are_split_at_blanks)
{
	char text[] = "  run\t@2  bin/hello ";
	char *words[4];

	CHECK_EQUAL(line_split(text, words, 4), 3);
	CHECK_STRING(words[1], "@2");
	CHECK_STRING(words[2], "bin/hello");
}
