/*
 * Changing stacks. Private to lib/fiber.
 *
 * What the sanitizers of the host must be told of a change of stacks is here as well: under
 * AddressSanitizer where the new stack is, under ThreadSanitizer which fiber runs.
 */
#ifndef FIBER_SWITCH_H
#define FIBER_SWITCH_H

#include <fiber/fiber.h>

/**
 * Save the registers that a function must preserve on this stack, its pointer in @save, and go
 * on where @load, another stack's, was saved. In switch_x86_64.S.
 */
void fiber_switch_stack(void **save, void *load);

/* Where a new stack begins to run: calls fiber_main() with the fiber in rbx. Never called. */
void fiber_first(void);

/* The C half of fiber_first(); does not return. */
void fiber_main(struct fiber *fiber);

#ifdef __SANITIZE_ADDRESS__

#include <sanitizer/common_interface_defs.h>

/* Before leaving the stack of @from (NULL: for ever) for that of @to. */
static inline void note_leave(struct fiber_stack_note *from, const struct fiber_stack_note *to)
{
	__sanitizer_start_switch_fiber(from ? &from->fake_stack : NULL, to->bottom, to->bytes);
}

/* Having come (back) to the stack of @here from that of @from, whose bounds are learned. */
static inline void note_arrive(struct fiber_stack_note *here, struct fiber_stack_note *from)
{
	__sanitizer_finish_switch_fiber(here->fake_stack, &from->bottom, &from->bytes);
}

static inline void note_begin(struct fiber_stack_note *note)
{
	(void)note;
}

static inline void note_end(struct fiber_stack_note *note)
{
	(void)note;
}

#elif defined(__SANITIZE_THREAD__)

#include <sanitizer/tsan_interface.h>

static inline void note_leave(struct fiber_stack_note *from, const struct fiber_stack_note *to)
{
	if (from && !from->tsan_fiber)
		from->tsan_fiber = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(to->tsan_fiber, 0);
}

static inline void note_arrive(struct fiber_stack_note *here, struct fiber_stack_note *from)
{
	(void)here;
	(void)from;
}

static inline void note_begin(struct fiber_stack_note *note)
{
	note->tsan_fiber = __tsan_create_fiber(0);
}

static inline void note_end(struct fiber_stack_note *note)
{
	__tsan_destroy_fiber(note->tsan_fiber);
}

#else

static inline void note_leave(struct fiber_stack_note *from, const struct fiber_stack_note *to)
{
	(void)from;
	(void)to;
}

static inline void note_arrive(struct fiber_stack_note *here, struct fiber_stack_note *from)
{
	(void)here;
	(void)from;
}

static inline void note_begin(struct fiber_stack_note *note)
{
	(void)note;
}

static inline void note_end(struct fiber_stack_note *note)
{
	(void)note;
}

#endif
#endif
