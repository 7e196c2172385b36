/*
 * From a number in rax to a handler. See syscall.h and, for the table, syscalls.h.
 *
 * Runs in: the personality's domain.
 */
#include "afar.h"
#include "syscall.h"

#include <errno.h>
#include <stdio.h>

#define NUMBERS 512u

#define WHOLE(number, name, args, test)                                                            \
	[number] = {#name, args, sys_##name, CALL_WHOLE, NULL, test},
#define PARTLY(number, name, args, test, missing)                                                  \
	[number] = {#name, args, sys_##name, CALL_PARTLY, missing, test},
#define ABSENT(number, name) [number] = {#name, "", NULL, CALL_ABSENT, NULL, ""},
#define NONE(number, name)   [number] = {#name, "", NULL, CALL_NONE, NULL, ""},

static const struct syscall calls[NUMBERS] = {
#include "syscalls.h"
};

static bool named[NUMBERS]; /* on the console, because somebody missed it */

const struct syscall *syscall_entry(u64 number)
{
	return number < NUMBERS && calls[number].name ? &calls[number] : NULL;
}

static s64 absent(struct thread *t, const u64 *a)
{
	u64 number = t->call_number;
	const struct syscall *call = syscall_entry(number);

	(void)a;
	if (call && call->status == CALL_ABSENT && !named[number]) {
		named[number] = true;
		printf("linux: %s[%u] called %s (%lu), which is not there yet\n", t->name, t->tid,
		       call->name, number);
	}
	return -ENOSYS;
}

typedef s64 handler_fn(struct thread *t, const u64 *a);

static inline handler_fn *handler_of(u64 number)
{
	return likely(number < NUMBERS && calls[number].handler) ? calls[number].handler : absent;
}

static __attribute__((noinline, cold)) s64 traced(struct thread *t, u64 number, const u64 *a)
{
	s64 result;

	trace_call(t, syscall_entry(number), a);
	result = handler_of(number)(t, a);
	trace_result(t, syscall_entry(number), result);
	return result;
}

void syscall_make(struct thread *t)
{
	const struct context_state *r = t->regs;
	const u64 a[6] = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9};
	u64 number = r->rax;
	s64 result;

	t->call_number = number;
	result = unlikely(trace_on) ? traced(t, number, a) : handler_of(number)(t, a);
	if (unlikely(result == -ESRCH) && afar_is_on && !t->process->pid_ns)
		result = afar_retry(t, number, a);
	/* exec and sigreturn have made other registers, of a thread that is in no call. */
	if (likely(t->call_number == number))
		t->regs->rax = (u64)result;
}
