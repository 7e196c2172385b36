/*
 * Somebody at a terminal: types, looks at the screen, waits until it shows what is expected.
 *
 * The terminal is a pseudo-terminal of 24 lines and 80 columns on which a command runs (hake/run),
 * so everything on the way is used: hake's raw terminal, QEMU's serial line, the driver, N_TTY.
 * Waiting is by what is seen, never by time; the times here only end a test that fails.
 */
#ifndef SHELL_PERSON_H
#define SHELL_PERSON_H

#include "screen.h"

extern struct screen screen;

/** Start @argv on the terminal, of type @term. Ends the program if that is not possible. */
void person_begin(char *const *argv, const char *term);

/** Type @keys: bytes, as keys send them. A pause is made after an ESC that stands alone. */
void type(const char *keys);

/** Wait until @seen() is true. False: it was not, within the patience of a minute. */
bool see(bool (*seen)(const void *arg), const void *arg);

/** Wait until @text is in some line of the screen. */
bool see_text(const char *text);

/** Wait until line @row (from 0) is @text. */
bool see_row(int row, const char *text);

/** The prompt that see_prompt() waits for: the beginning of the cursor's line. */
void set_prompt(const char *prompt);

/** Wait until the cursor is behind a prompt, in another line than the first. */
bool see_prompt(void);

/** Have an empty screen, with a prompt in its first line. */
bool fresh_line(void);

/** fresh_line(), then @command and Enter, then see_prompt(). */
bool run(const char *command);

/** run(), and line 1, below the command, is @output. */
bool prints(const char *command, const char *output);

/** Show the screen on standard output. */
void show_screen(void);

/** Wait for the end of the command. Returns its exit status, -1: it goes on. */
int person_end(void);

#endif
