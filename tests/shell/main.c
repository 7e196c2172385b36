/*
 * The shell, driven as a person drives it: runs a command on a terminal (person.h), waits for a
 * prompt, goes through cases, and ends the machine from the shell.
 *
 *   shell-person [--case NAME] [--restart] [--linux] COMMAND [ARGUMENT...]
 *
 * Prints "pass NAME" or "FAIL NAME", with the screen, for each case; ends with 0 if all passed.
 * --restart: the machine is restarted once before it is switched off. --linux: the command cannot
 * tell how the machine ended.
 */
#include "cases.h"
#include "person.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROMPT "root@skerry:~# "

static int passed, failed;

static void report(const char *name, bool pass)
{
	printf("%s %s\n", pass ? "pass" : "FAIL", name);
	if (!pass)
		show_screen();
	passed += pass;
	failed += !pass;
	fflush(stdout);
}

/* From wherever a failed case has ended, back to a prompt. */
static bool recover(void)
{
	type("\021\003\003\033q");
	type("\025:q!\r\003\025");
	type("stty sane; kill %1 %2; wait\r\r");
	return see_prompt() && fresh_line();
}

static void run_cases(const struct shell_case *cases, const char *only)
{
	for (; cases->name; cases++) {
		bool pass;

		if (only && strcmp(only, cases->name) != 0)
			continue;
		pass = cases->passes();
		report(cases->name, pass);
		if (!pass && !recover()) {
			report("prompt_comes_back", false);
			return;
		}
	}
}

static bool restarts(void)
{
	if (!fresh_line())
		return false;
	type("reboot\r");
	return see_text("reboot: Restarting system") && see_text("built-in shell") &&
	       see_prompt() && prints("ls /tmp | wc -l", "0");
}

static bool switches_off(bool on_linux)
{
	int status;

	if (!fresh_line())
		return false;
	type("poweroff\r");
	status = person_end();
	return status == 0 || (on_linux && status > 0);
}

int main(int argc, char **argv)
{
	bool restart = false, on_linux = false;
	const char *only = NULL;

	for (argc--, argv++; argc && strncmp(*argv, "--", 2) == 0; argc--, argv++) {
		if (strcmp(*argv, "--restart") == 0)
			restart = true;
		else if (strcmp(*argv, "--linux") == 0)
			on_linux = true;
		else if (strcmp(*argv, "--case") == 0 && argc > 1)
			argc--, only = *++argv;
	}
	if (!argc) {
		fprintf(stderr,
			"usage: shell-person [--case NAME] [--restart] [--linux] COMMAND\n");
		return 2;
	}
	person_begin(argv, "xterm");
	set_prompt(PROMPT);
	report("boot_ends_at_a_prompt", see_prompt());
	if (!failed) {
		run_cases(common_cases, only);
		run_cases(busybox_cases, only);
	}
	if (!failed && restart)
		report("reboot_starts_the_machine_again", restarts());
	report("poweroff_ends_the_machine", switches_off(on_linux));
	printf("%d passed, %d failed\n", passed, failed);
	return failed != 0;
}
