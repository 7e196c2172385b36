/*
 * Random changes of the model's namespaces, in a form that says the same in any state: mounts are
 * counted. So a row of them can be made again with some left out.
 */
#ifndef MODEL_OPS_H
#define MODEL_OPS_H

#include "model.h"

#include <stddef.h>

enum model_what {
	OP_MOUNT,
	OP_BENEATH,
	OP_BIND,
	OP_MOVE,
	OP_UMOUNT,
	OP_KIND,
	OP_SET_GROUP,
	OP_PIVOT,
	OP_COPY_NS,
	OP_NS_OF_TREE,
	OP_REMOVE_DIR,
	OPS
};

struct model_op {
	enum model_what what;
	unsigned x;         /* which file system, kind, owner; recursive; lazy */
	unsigned ns[3];     /* of both places; the third: what is replaced */
	unsigned mount[2];  /* counted */
	unsigned choice[2]; /* of directory */
};

/* What it is about now: two places, and a namespace that is there or is not. */
struct model_where {
	int mount[2];
	unsigned dir[2];
	int ns;
};

/* A change; @random gives numbers below its argument. */
void model_op_choose(struct model_op *op, unsigned (*random)(void *arg, unsigned below), void *arg);
void model_op_find(const struct model *t, const struct model_op *op, struct model_where *at);
int model_op_make(struct model *t, const struct model_op *op, const struct model_where *at);

static inline bool op_recursive(const struct model_op *op)
{
	return op->x & 1;
}

static inline bool op_lazy(const struct model_op *op)
{
	return op->x % 3 == 0;
}

static inline unsigned op_fs(const struct model_op *op)
{
	return op->x / 8 % 8;
}

static inline unsigned op_owner(const struct model_op *op)
{
	return op->x / 64 % 3;
}

static inline enum model_kind op_kind(const struct model_op *op)
{
	static const enum model_kind kinds[8] = {MODEL_SHARED,  MODEL_SHARED,    MODEL_SHARED,
						 MODEL_SHARED,  MODEL_SLAVE,     MODEL_SLAVE,
						 MODEL_PRIVATE, MODEL_UNBINDABLE};

	return kinds[op->x / 8 % 8];
}

/* In words, with the rows it is about. */
void model_op_print(const struct model_op *op, const struct model_where *at);
/* A namespace of the model, a mount a line. */
void model_print(const struct model *t);

#endif
