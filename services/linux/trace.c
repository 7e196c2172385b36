/*
 * linux.trace=all|PID: prints calls with their arguments, as strace does, on the console.
 *
 * Runs in: the personality's domain.
 */
#include "syscall.h"
#include "uaccess.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vfs/abi.h>

#define TEXT_MAX_SHOWN 32u /* bytes of a string that are shown */

bool trace_on;
static bool all;
static u32 only;

void trace_init(const char *what)
{
	all = strcmp(what, "all") == 0;
	only = all ? 0 : (u32)strtoul(what, NULL, 10);
	trace_on = all || only;
}

static bool is_traced(const struct thread *t)
{
	return all || (only && t->process->pid == only);
}

/* A string or buffer of the program, with what cannot be printed as \ooo. */
static int show_text(struct thread *t, char *out, u64 room, u64 addr, u64 len, bool string)
{
	char text[TEXT_MAX_SHOWN];
	u64 want = string ? sizeof(text) : MIN(len, sizeof(text)), n;
	int at = snprintf(out, room, "\"");

	n = addr < MM_TOP ? mm_copy(thread_mm(t), text, addr, want, false) : 0;
	if (!n && want)
		return snprintf(out, room, "%#lx", addr);
	for (u64 i = 0; i < n && !(string && !text[i]) && (u64)at + 8 < room; i++) {
		if (text[i] >= ' ' && text[i] < 127)
			at += snprintf(out + at, room - (u64)at, "%c", text[i]);
		else if (text[i] == '\n')
			at += snprintf(out + at, room - (u64)at, "\\n");
		else
			at += snprintf(out + at, room - (u64)at, "\\%03o", (u8)text[i]);
	}
	return at + snprintf(out + at, room - (u64)at, "\"%s", len > n && !string ? "..." : "");
}

static int show_argument(struct thread *t, char *out, u64 room, char kind, const u64 *a, u32 i)
{
	switch (kind) {
	case 'f':
		if ((s32)a[i] == AT_FDCWD)
			return snprintf(out, room, "AT_FDCWD");
		return snprintf(out, room, "%d", (s32)a[i]);
	case 'd':
		return snprintf(out, room, "%ld",
				(s64)(s32)a[i] == (s64)a[i] || a[i] >> 32 == 0 ? (s64)(s32)a[i]
									       : (s64)a[i]);
	case 'u':
	case 'z':
		return snprintf(out, room, "%lu", a[i]);
	case 'o':
		return snprintf(out, room, "%#o", (u32)a[i]);
	case 's':
		return a[i] ? show_text(t, out, room, a[i], 0, true) : snprintf(out, room, "NULL");
	case 'b':
		return show_text(t, out, room, a[i], a[i + 1], false);
	case 'p':
		return a[i] ? snprintf(out, room, "%#lx", a[i]) : snprintf(out, room, "NULL");
	default:
		return snprintf(out, room, "%#lx", a[i]);
	}
}

void trace_call(struct thread *t, const struct syscall *call, const u64 *a)
{
	char line[512];
	u64 at = 0;

	if (!is_traced(t))
		return;
	at = (u64)snprintf(line, sizeof(line), "[%u] %s(", t->tid, call ? call->name : "?");
	for (u32 i = 0; call && i < 6 && call->args[i] && at < sizeof(line) - 64; i++) {
		if (i)
			at += (u64)snprintf(line + at, sizeof(line) - at, ", ");
		at += (u64)show_argument(t, line + at, sizeof(line) - at, call->args[i], a, i);
	}
	printf("%s)\n", line);
}

void trace_result(struct thread *t, const struct syscall *call, s64 result)
{
	if (!is_traced(t))
		return;
	if (result < 0 && result > -4096)
		printf("[%u] ... %s = -1 (%s)\n", t->tid, call ? call->name : "?",
		       result <= -E_RESTARTSYS ? "to be restarted" : strerror((int)-result));
	else
		printf("[%u] ... %s = %#lx\n", t->tid, call ? call->name : "?", (u64)result);
}
