/*
 * Sets of numbered things in order: treaps whose ranks are made of the numbers, so that the
 * same numbers always make the same tree. Private to lib/mounts.
 */
#ifndef MOUNTS_ORDER_H
#define MOUNTS_ORDER_H

#include <mounts/mounts.h>

/* @node, whose key is set and not in the set yet. */
void order_insert(struct order_node **root, struct order_node *node);
/* @node is in the set. */
void order_remove(struct order_node **root, struct order_node *node);
/* The first above @key; the last below it; NULL: none. */
struct order_node *order_after(struct order_node *root, u64 key);
struct order_node *order_before(struct order_node *root, u64 key);
struct order_node *order_find(struct order_node *root, u64 key);

/* Small numbers from 1 on, the lowest free one first. All zero is an empty set. */
struct id_set {
	u64 *words;   /* a bit for each number that is used */
	u64 *full;    /* a bit for each word that is full */
	u32 capacity; /* of numbers, a multiple of 4096 */
};

/* 0: no memory. */
u32 id_take(struct id_set *ids, const struct mounts_env *env);
void id_give(struct id_set *ids, u32 id);
void id_fini(struct id_set *ids, const struct mounts_env *env);

#endif
