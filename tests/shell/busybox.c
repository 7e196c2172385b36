/*
 * Busybox's programs that take the whole screen.
 */
#include "cases.h"
#include "person.h"

#include <string.h>

static bool vi_edits_and_saves_a_file(void)
{
	if (!run("rm -f /tmp/note; printf 'one\\ntwo\\nthree\\n' > /tmp/note") || !fresh_line())
		return false;
	type("vi /tmp/note\r");
	if (!see_row(2, "three"))
		return false;
	type("jdd"); /* the second line goes */
	if (!see_row(1, "three"))
		return false;
	type("Goend\033"); /* a line is added */
	if (!see_row(2, "end"))
		return false;
	type("kA!\033"); /* and the second one is longer */
	if (!see_row(1, "three!"))
		return false;
	type(":wq\r");
	return see_prompt() && prints("cat /tmp/note | tr '\\n' ' '; echo", "one three! end");
}

static bool vi_leaves_without_saving(void)
{
	if (!run("echo kept > /tmp/note2") || !fresh_line())
		return false;
	type("vi /tmp/note2\r");
	if (!see_row(0, "kept"))
		return false;
	type("dd");
	if (!see_row(0, ""))
		return false;
	type(":q!\r");
	return see_prompt() && prints("cat /tmp/note2", "kept");
}

static bool top_shows_a_screen_until_q(void)
{
	if (!fresh_line())
		return false;
	type("top\r");
	if (!see_text("Load average:") || !see_text("PID  PPID USER") || !see_text(" top"))
		return false;
	type("q");
	return see_prompt();
}

static bool less_shows_pages(void)
{
	if (!fresh_line())
		return false;
	type("seq 100 | less\r");
	if (!see_row(0, "1") || !see_row(22, "23"))
		return false;
	type(" ");
	if (!see_row(0, "24"))
		return false;
	type("G");
	if (!see_text("100") || !see_text("(END)"))
		return false;
	type("q");
	return see_prompt();
}

/*
 * Types @text into less's bottom line key by key, each when the one before is shown: between two
 * keys busybox's less has the terminal in cooked mode, where Enter would be a newline to it.
 */
static bool type_below(const char *text)
{
	char shown[COLS + 1] = "";

	for (char *end = shown; *text && end < shown + COLS; text++) {
		*end++ = *text;
		type((const char[]){*text, 0});
		if (!see_row(ROWS - 1, shown))
			return false;
	}
	return true;
}

static bool less_finds_text(void)
{
	if (!fresh_line())
		return false;
	type("seq 200 | less\r");
	if (!see_row(22, "23"))
		return false;
	if (!type_below("/150"))
		return false;
	type("\r");
	if (!see_row(0, "150"))
		return false;
	type("q");
	return see_prompt();
}

static bool ctrl_l_clears_the_screen(void)
{
	return run("seq 30") && fresh_line() && !screen_shows(&screen, "30");
}

static bool end_of_input_ends_the_shell_and_another_begins(void)
{
	if (!run("sh_is_new=no") || !fresh_line())
		return false;
	type("\004");
	return see_text("built-in shell") && see_prompt() && prints("echo ${sh_is_new-yes}", "yes");
}

#define CASE(name)                                                                                 \
	{                                                                                          \
#name, name                                                                        \
	}

const struct shell_case busybox_cases[] = {
	CASE(vi_edits_and_saves_a_file),
	CASE(vi_leaves_without_saving),
	CASE(top_shows_a_screen_until_q),
	CASE(less_shows_pages),
	CASE(less_finds_text),
	CASE(ctrl_l_clears_the_screen),
	CASE(end_of_input_ends_the_shell_and_another_begins),
	{NULL, NULL},
};
