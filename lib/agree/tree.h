/*
 * Sending one thing to a set of cores and gathering their answers.
 *
 * A core that must reach a set of others sends to some of them, its children, and gives each a
 * subset to pass the thing on to. When all its children have answered it answers for the whole
 * set. The set travels with the thing, so no two cores need the same opinion of who belongs.
 */
#ifndef AGREE_TREE_H
#define AGREE_TREE_H

#include <agree/agree.h>

/* How this core sees the machine. */
struct agree_tree {
	const struct machine *machine;
	enum agree_strategy strategy;
	u32 fanout;
	u32 self;
};

/* One sending, at one core. All zero: nothing is under way. */
struct agree_cast {
	struct core_set todo;     /* no child has been given these yet */
	struct core_set awaiting; /* children that have not answered */
	u32 far_slots;            /* children still allowed in other sockets, */
	u32 near_slots;           /* and in this core's own */
};

/* Begin to reach @targets (this core not among them). */
void agree_cast_begin(const struct agree_tree *t, struct agree_cast *c,
		      const struct core_set *targets);

/**
 * Who to send to now.
 *
 * @subset  receives whom the child must pass it on to
 * Returns the child, now awaited, or NO_CORE: nobody, for now.
 */
u32 agree_cast_next(const struct agree_tree *t, struct agree_cast *c, struct core_set *subset);

/* @child has answered for itself and its subset. Returns false if it was not awaited. */
bool agree_cast_answered(struct agree_cast *c, u32 child);

static inline bool agree_cast_done(const struct agree_cast *c)
{
	return core_set_empty(&c->todo) && core_set_empty(&c->awaiting);
}

/* The most children a core can have at once. */
u32 agree_tree_children(enum agree_strategy strategy, u32 fanout, u32 ncores);

#endif
