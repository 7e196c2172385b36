/*
 * System calls: the table (syscalls.h) and who answers.
 *
 * A handler gets the thread that calls and its six arguments, and returns the result or a negative
 * errno, E_RESTART* included. It may wait; it does not touch the registers but where the call is
 * about them.
 */
#ifndef LINUX_SYSCALL_H
#define LINUX_SYSCALL_H

#include "process.h"

enum call_status {
	CALL_ABSENT,
	CALL_NONE, /* on Linux, either */
	CALL_PARTLY,
	CALL_WHOLE,
};

struct syscall {
	const char *name;
	const char *args; /* kinds of its arguments, one letter each: trace.c */
	s64 (*handler)(struct thread *t, const u64 *a);
	enum call_status status;
	const char *missing; /* of those that are there partly */
	const char *test;    /* that covers it */
};

/** The entry of @number, NULL if Linux has no such call. */
const struct syscall *syscall_entry(u64 number);

/** Make the call that @t's registers describe; the result goes to rax. */
void syscall_make(struct thread *t);

/* What restart_syscall(2) goes on with (struct thread's restart). */
s64 futex_restart(struct thread *t);
s64 poll_restart(struct thread *t);
s64 sleep_restart(struct thread *t);

/* sigframe.c */
void sigframe_init(void);
u64 sigframe_min_stack(void);
u32 altstack_flags(const struct thread *t, u64 sp);
int altstack_set(struct thread *t, const struct k_stack *stack);

/* trace.c: what linux.trace= asks for; if it asks for any: begin and end of a call */
extern bool trace_on;
void trace_init(const char *what);
void trace_call(struct thread *t, const struct syscall *call, const u64 *a);
void trace_result(struct thread *t, const struct syscall *call, s64 result);

#define WHOLE(number, name, args, test)           s64 sys_##name(struct thread *t, const u64 *a);
#define PARTLY(number, name, args, test, missing) s64 sys_##name(struct thread *t, const u64 *a);
#define ABSENT(number, name)
#define NONE(number, name)
#include "syscalls.h"
#undef WHOLE
#undef PARTLY
#undef ABSENT
#undef NONE

#endif
