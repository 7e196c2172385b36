/*
 * What any shell does at a terminal: editing of the line, history, pipelines, jobs, keys that make
 * signals, here-documents. Each case begins and ends at a prompt.
 */
#include "cases.h"
#include "person.h"

#include <string.h>

/* ---- the terminal ---- */

static bool command_prints_its_output(void)
{
	return prints("echo one two", "one two");
}

static bool size_is_that_of_the_terminal(void)
{
	return prints("stty size", "24 80");
}

static bool type_is_that_of_the_terminal(void)
{
	return prints("echo $TERM", "xterm");
}

static bool standard_streams_are_a_terminal(void)
{
	return prints("test -t 0 && test -t 1 && test -t 2 && echo yes", "yes");
}

/* ---- editing ---- */

static bool backspace_erases(void)
{
	return prints("echo abX\177c", "abc");
}

static bool arrow_left_inserts_before(void)
{
	return prints("echo ac\033[Db", "abc");
}

static bool ctrl_a_and_ctrl_e_go_to_the_ends(void)
{
	return prints("cho hi\001e\005!", "hi!");
}

static bool ctrl_w_erases_a_word(void)
{
	return prints("echo one two\027three", "one three");
}

static bool ctrl_u_erases_the_line(void)
{
	return prints("nonsense\025echo clean", "clean");
}

static bool ctrl_k_erases_to_the_end(void)
{
	return prints("echo ab cd\033[D\033[D\013", "ab");
}

static bool delete_erases_under_the_cursor(void)
{
	return prints("echo abc\033[D\033[D\033[3~", "ac");
}

static bool long_line_goes_on_in_the_next(void)
{
	static const char command[] = "echo 123456789.123456789.123456789.123456789.123456789."
				      "123456789.123456789.123456789.123456789.123456789. | wc -c";

	return run(command) && see_row(2, "101");
}

/* ---- history and completion ---- */

static bool arrow_up_brings_the_last_command(void)
{
	return run("echo first") && prints("\033[A", "first");
}

static bool arrows_go_through_history(void)
{
	return run("echo older") && run("echo newer") && prints("\033[A\033[A", "older") &&
	       run("echo last") && prints("\033[A\033[A\033[B", "last");
}

static bool history_can_be_edited(void)
{
	return run("echo wrong") && prints("\033[A\027right", "right");
}

static bool tab_completes_a_file(void)
{
	return prints("cat /etc/inittab | head -n 1 | cut -c 1", "#") &&
	       prints("ls /etc/initt\t", "/etc/inittab");
}

static bool tab_completes_a_folder_with_a_slash(void)
{
	return run("mkdir -p /tmp/folder.d && touch /tmp/folder.d/inside") &&
	       prints("ls /tmp/folder\tins\t", "/tmp/folder.d/inside");
}

static bool tab_twice_lists_what_fits(void)
{
	if (!run("mkdir -p /tmp/many && touch /tmp/many/alpha1 /tmp/many/alpha2") || !fresh_line())
		return false;
	type("ls /tmp/many/al\t\t");
	if (!see_text("alpha1") || !see_text("alpha2"))
		return false;
	type("1\r");
	return see_text("/tmp/many/alpha1") && see_prompt();
}

/* ---- pipelines and documents ---- */

static bool pipeline_of_three(void)
{
	return prints("echo one two three | tr a-z A-Z | wc -w", "3");
}

static bool here_document_is_typed(void)
{
	if (!fresh_line())
		return false;
	type("cat <<END | tr a-z A-Z\r");
	if (!see_row(1, ">"))
		return false;
	type("first\rsecond\rEND\r");
	return see_prompt() && screen_shows(&screen, "FIRST") && screen_shows(&screen, "SECOND");
}

static bool loop_over_several_lines(void)
{
	if (!fresh_line())
		return false;
	type("for i in 1 2 3\r");
	if (!see_row(1, ">"))
		return false;
	type("do echo item-$i\rdone\r");
	return see_prompt() && screen_shows(&screen, "item-3");
}

/* ---- keys that make signals ---- */

/*
 * Type @command, with @last as its last program, and wait until that has begun: it says so from
 * where no key can hit the shell any more.
 */
static bool begin_last(const char *command, const char *last)
{
	if (!fresh_line())
		return false;
	type(command);
	type("sh -c 'echo be\"\"gun; ");
	type(last);
	type("'\r");
	return see_row(1, "begun");
}

static bool begin(const char *command)
{
	return begin_last("", command);
}

/*
 * Type @command, a program or a pipeline that shows the file /tmp/begun and goes on, and wait until
 * it has: what says so is the very program that the keys are meant for. A shell that says so and
 * then becomes the program would not do, because a key may come in between, and busybox's shell
 * ignores SIGQUIT and keeps SIGINT for itself until it executes the program.
 */
static bool begin_program(const char *command)
{
	if (!run("echo begun > /tmp/begun") || !fresh_line())
		return false;
	type(command);
	type("\r");
	return see_row(1, "begun");
}

static bool ctrl_c_ends_a_command(void)
{
	if (!begin_program("tail -f /tmp/begun"))
		return false;
	type("\003");
	return see_prompt() && screen_shows(&screen, "^C") && prints("echo $?", "130");
}

static bool ctrl_c_ends_a_whole_pipeline(void)
{
	if (!begin_program("tail -f /tmp/begun | cat | cat"))
		return false;
	type("\003");
	return see_prompt() && prints("ps | grep -c '[t]ail -f'", "0");
}

static bool ctrl_c_leaves_a_typed_line(void)
{
	if (!fresh_line())
		return false;
	type("echo never");
	if (!see_text("echo never"))
		return false;
	type("\003");
	return see_prompt() && prints("echo $?", "130");
}

static bool ctrl_c_reaches_a_trap(void)
{
	if (!fresh_line())
		return false;
	type("sh -c 'trap \"echo caught; exit 7\" INT; echo rea\"\"dy; while :; do sleep 1; "
	     "done'\r");
	if (!see_text("ready"))
		return false;
	type("\003");
	return see_prompt() && screen_shows(&screen, "caught") && prints("echo $?", "7");
}

static bool ctrl_backslash_quits(void)
{
	if (!begin_program("tail -f /tmp/begun"))
		return false;
	type("\034");
	return see_prompt() && screen_shows(&screen, "Quit") && prints("echo $?", "131");
}

static bool ctrl_d_ends_the_input(void)
{
	if (!begin("exec wc -l"))
		return false;
	type("one\rtwo\r");
	if (!see_text("two"))
		return false;
	type("\004");
	return see_prompt() && strcmp(screen_row(&screen, screen.row - 1), "2") == 0;
}

static bool ctrl_s_stops_and_ctrl_q_starts_output(void)
{
	if (!begin("while read x; do echo got-$x; done"))
		return false;
	type("\023abc\r");
	type("\021");
	if (!see_text("got-abc"))
		return false;
	type("\004");
	return see_prompt();
}

/* ---- jobs ---- */

/* A shell tells of a job's end before the next prompt; a moment may pass until it has ended. */
static bool ends_with(const char *command, const char *told)
{
	return run(command) &&
	       (screen_shows(&screen, told) || (run("sleep 1") && screen_shows(&screen, told)));
}

static bool ctrl_z_stops_a_command(void)
{
	if (!begin_program("tail -f /tmp/begun"))
		return false;
	type("\032");
	return see_prompt() && screen_shows(&screen, "Stopped") && run("jobs") &&
	       screen_shows(&screen, "Stopped") && ends_with("kill -9 %1", "Killed");
}

static bool fg_goes_on_with_a_stopped_command(void)
{
	if (!begin_program("cat /tmp/begun -"))
		return false;
	type("\032");
	if (!see_prompt() || !fresh_line())
		return false;
	type("fg\r");
	if (!see_text("cat /tmp/begun -"))
		return false;
	type("typed\r");
	if (!see_row(3, "typed")) /* after "fg", the command, and what is typed */
		return false;
	type("\004");
	return see_prompt();
}

static bool bg_goes_on_in_the_background(void)
{
	if (!begin_program("tail -f /tmp/begun"))
		return false;
	type("\032");
	return see_prompt() && run("bg") && run("jobs") && screen_shows(&screen, "Running") &&
	       ends_with("kill %1", "Terminated");
}

static bool background_job_leaves_the_prompt(void)
{
	return run("sleep 1000 &") && prints("echo here", "here") &&
	       ends_with("kill %1", "Terminated");
}

static bool end_of_a_job_is_told_at_the_prompt(void)
{
	/* At whichever prompt comes after it. */
	return run("true &") && run("wait") && run("true &") &&
	       (screen_shows(&screen, "Done") ||
		(run("sleep 1") && screen_shows(&screen, "Done")) ||
		(run("") && screen_shows(&screen, "Done")));
}

static bool background_reader_is_stopped(void)
{
	return run("cat &") && run("sleep 1; jobs") && screen_shows(&screen, "Stopped") &&
	       ends_with("kill -9 %1", "Killed");
}

static bool kill_ends_a_stopped_job(void)
{
	if (!begin_program("tail -f /tmp/begun"))
		return false;
	type("\032");
	return see_prompt() && ends_with("kill -9 %1", "Killed") && run("jobs") &&
	       !screen_shows(&screen, "tail");
}

/* ---- lines that programs read ---- */

static bool line_is_edited_before_a_program_gets_it(void)
{
	if (!begin("read line; echo got-$line"))
		return false;
	type("wrong\025abX\177c\r");
	return see_prompt() && screen_shows(&screen, "got-abc");
}

static bool character_of_several_bytes_is_erased_whole(void)
{
	if (!run("stty iutf8") || !begin("read line; echo got-$line."))
		return false;
	type("a\303\251\177b\r");
	return see_prompt() && screen_shows(&screen, "got-ab.");
}

static bool no_echo_hides_what_is_typed(void)
{
	if (!begin_last("stty -echo; ", "read x; stty echo; echo k=$x"))
		return false;
	type("secret\r");
	return see_prompt() && screen_shows(&screen, "k=secret") &&
	       strcmp(screen_row(&screen, 2), "secret") != 0;
}

/* ---- programs that take the screen ---- */

static bool ps_shows_process_1(void)
{
	return prints("ps | grep -c '^ *1 '", "1");
}

#define CASE(name)                                                                                 \
	{                                                                                          \
#name, name                                                                        \
	}

const struct shell_case common_cases[] = {
	CASE(command_prints_its_output),
	CASE(size_is_that_of_the_terminal),
	CASE(type_is_that_of_the_terminal),
	CASE(standard_streams_are_a_terminal),
	CASE(backspace_erases),
	CASE(arrow_left_inserts_before),
	CASE(ctrl_a_and_ctrl_e_go_to_the_ends),
	CASE(ctrl_w_erases_a_word),
	CASE(ctrl_u_erases_the_line),
	CASE(ctrl_k_erases_to_the_end),
	CASE(delete_erases_under_the_cursor),
	CASE(long_line_goes_on_in_the_next),
	CASE(arrow_up_brings_the_last_command),
	CASE(arrows_go_through_history),
	CASE(history_can_be_edited),
	CASE(tab_completes_a_file),
	CASE(tab_completes_a_folder_with_a_slash),
	CASE(tab_twice_lists_what_fits),
	CASE(pipeline_of_three),
	CASE(here_document_is_typed),
	CASE(loop_over_several_lines),
	CASE(ctrl_c_ends_a_command),
	CASE(ctrl_c_ends_a_whole_pipeline),
	CASE(ctrl_c_leaves_a_typed_line),
	CASE(ctrl_c_reaches_a_trap),
	CASE(ctrl_backslash_quits),
	CASE(ctrl_d_ends_the_input),
	CASE(ctrl_s_stops_and_ctrl_q_starts_output),
	CASE(ctrl_z_stops_a_command),
	CASE(fg_goes_on_with_a_stopped_command),
	CASE(bg_goes_on_in_the_background),
	CASE(background_job_leaves_the_prompt),
	CASE(end_of_a_job_is_told_at_the_prompt),
	CASE(background_reader_is_stopped),
	CASE(kill_ends_a_stopped_job),
	CASE(line_is_edited_before_a_program_gets_it),
	CASE(character_of_several_bytes_is_erased_whole),
	CASE(no_echo_hides_what_is_typed),
	CASE(ps_shows_process_1),
	{NULL, NULL},
};
