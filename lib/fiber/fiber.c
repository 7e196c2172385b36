/*
 * Starting and ending fibers, and the loop that gives them their turns.
 *
 * Control goes between the loop and a fiber, never from fiber to fiber: resume() and
 * fiber_suspend() are the two directions.
 *
 * Not here: what fibers wait for (wait.c), changing stacks (switch_x86_64.S).
 * Runs in: monitors, native domains, host tests.
 */
#include <fiber/fiber.h>
#include <fiber/switch.h>
#include <fiber/wait.h>

#include <errno.h>
#include <string.h>

/* What fiber_switch_stack() finds on a stack; see switch_x86_64.S. */
struct frame {
	u32 mxcsr;
	u16 x87_control;
	u16 unused;
	u64 r15, r14, r13, r12, rbx, rbp;
	u64 return_address;
	u64 end[2]; /* the stack is a multiple of 16 at fiber_first(), as before any call */
};

static_assert(sizeof(struct frame) % 16 == 0, "fiber_first() would begin on an odd stack");

/* All exceptions masked, nearest rounding, extended precision: as at the start of a program
 * (AMD64 supplement 1.0, 3.4.1). */
#define INITIAL_MXCSR       0x1f80
#define INITIAL_X87_CONTROL 0x037f

void fiber_loop_init(struct fiber_loop *loop, const struct fiber_io *io, void *io_arg)
{
	*loop = (struct fiber_loop){.io = io, .io_arg = io_arg};
}

int fiber_start(struct fiber_loop *loop, struct fiber *fiber, void *stack, size_t bytes,
		void (*entry)(void *arg), void *arg, void (*done)(struct fiber *fiber))
{
	uintptr_t top = ROUND_DOWN((uintptr_t)stack + bytes, 16);
	struct frame frame = {
		.mxcsr = INITIAL_MXCSR,
		.x87_control = INITIAL_X87_CONTROL,
		.rbx = (uintptr_t)fiber,
		.return_address = (uintptr_t)fiber_first,
	};

	if (bytes < FIBER_MIN_STACK)
		return -EINVAL;
	*fiber = (struct fiber){
		.stack_pointer = (void *)(top - sizeof(frame)),
		.loop = loop,
		.entry = entry,
		.arg = arg,
		.done = done,
		.note = {.bottom = stack, .bytes = bytes},
	};
	memcpy(fiber->stack_pointer, &frame, sizeof(frame));
	note_begin(&fiber->note);
	loop->nfibers++;
	fiber_make_ready(fiber);
	return 0;
}

void fiber_main(struct fiber *fiber)
{
	struct fiber_loop *loop = fiber->loop;

	note_arrive(&fiber->note, &loop->note);
	fiber->entry(fiber->arg);
	fiber->state = FIBER_ENDED;
	note_leave(NULL, &loop->note);
	fiber_switch_stack(&fiber->stack_pointer, loop->stack_pointer);
}

void fiber_suspend(struct fiber *fiber)
{
	struct fiber_loop *loop = fiber->loop;

	note_leave(&fiber->note, &loop->note);
	fiber_switch_stack(&fiber->stack_pointer, loop->stack_pointer);
	note_arrive(&fiber->note, &loop->note);
}

/* Run @fiber until it waits or ends. */
static void resume(struct fiber_loop *loop, struct fiber *fiber)
{
	fiber->state = FIBER_RUNNING;
	loop->current = fiber;
	loop->switches++;
	note_leave(&loop->note, &fiber->note);
	fiber_switch_stack(&loop->stack_pointer, fiber->stack_pointer);
	note_arrive(&loop->note, &fiber->note);
	loop->current = NULL;
	if (fiber->state != FIBER_ENDED)
		return;
	loop->nfibers--;
	note_end(&fiber->note);
	if (fiber->done)
		fiber->done(fiber);
}

/* Run all fibers that are ready now; those that become ready meanwhile are of the next round. */
static void run_round(struct fiber_loop *loop)
{
	struct fiber *last = loop->ready.last, *fiber;
	bool more = true;

	while (more && !loop->stopping && (fiber = fiber_take_first(&loop->ready))) {
		more = fiber != last;
		resume(loop, fiber);
	}
}

int fiber_loop_run(struct fiber_loop *loop)
{
	loop->stopping = false;
	while (loop->nfibers > 0 && !loop->stopping) {
		if (!fiber_poll(loop))
			return -EDEADLK;
		run_round(loop);
	}
	return 0;
}

void fiber_loop_stop(struct fiber_loop *loop)
{
	loop->stopping = true;
}

struct fiber *fiber_self(const struct fiber_loop *loop)
{
	return loop->current;
}
