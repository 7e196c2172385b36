/*
 * Random changes of a tree of files, by one task or several in turn, beside an obvious model: every
 * result and what is seen afterwards must be the model's.
 */
#ifndef TEST_VFS_TREE_H
#define TEST_VFS_TREE_H

#include "world.h"

/* The tree is empty; the changes are those of @first_seed. */
void tree_begin(u64 first_seed);
/* The next change, number @i, by @task; a difference ends the test. */
void tree_step(struct vfs_task *task, u64 i);
/* What @task sees of the root and of a random name. */
void tree_check(struct vfs_task *task);

#endif
