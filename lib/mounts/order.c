/*
 * See order.h. A treap of n numbers is about 2 ln n deep; here that holds for numbers nobody
 * chooses, and identifiers are handed out one after the other.
 *
 * Runs in: the personality, host tests.
 */
#include "order.h"

#include <string.h>

#define IDS_A_STEP 4096u /* one word of id_set.full */

static u64 rank(const struct order_node *node)
{
	u64 x = node->key * 0x9e3779b97f4a7c15ul;

	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ul;
	return x ^ x >> 32;
}

void order_insert(struct order_node **root, struct order_node *node)
{
	struct order_node **less = &node->left, **more = &node->right, *at;
	u64 r = rank(node);

	while (*root && rank(*root) >= r)
		root = node->key < (*root)->key ? &(*root)->left : &(*root)->right;
	at = *root;
	while (at) {
		if (at->key < node->key) {
			*less = at;
			less = &at->right;
			at = at->right;
		} else {
			*more = at;
			more = &at->left;
			at = at->left;
		}
	}
	*less = *more = NULL;
	*root = node;
}

void order_remove(struct order_node **root, struct order_node *node)
{
	struct order_node *less = node->left, *more = node->right;

	while (*root != node)
		root = node->key < (*root)->key ? &(*root)->left : &(*root)->right;
	while (less && more) {
		if (rank(less) >= rank(more)) {
			*root = less;
			root = &less->right;
			less = less->right;
		} else {
			*root = more;
			root = &more->left;
			more = more->left;
		}
	}
	*root = less ? less : more;
}

struct order_node *order_after(struct order_node *root, u64 key)
{
	struct order_node *found = NULL;

	while (root) {
		if (root->key > key) {
			found = root;
			root = root->left;
		} else {
			root = root->right;
		}
	}
	return found;
}

struct order_node *order_before(struct order_node *root, u64 key)
{
	struct order_node *found = NULL;

	while (root) {
		if (root->key < key) {
			found = root;
			root = root->right;
		} else {
			root = root->left;
		}
	}
	return found;
}

struct order_node *order_find(struct order_node *root, u64 key)
{
	while (root && root->key != key)
		root = key < root->key ? root->left : root->right;
	return root;
}

/* --- Small numbers --- */

static size_t words_bytes(u32 capacity)
{
	return capacity / 64 * sizeof(u64);
}

static size_t full_bytes(u32 capacity)
{
	return capacity / IDS_A_STEP * sizeof(u64);
}

static bool grow(struct id_set *ids, const struct mounts_env *env)
{
	u32 capacity = ids->capacity ? 2 * ids->capacity : IDS_A_STEP;
	u64 *words = env->alloc(env->ctx, words_bytes(capacity));
	u64 *full = env->alloc(env->ctx, full_bytes(capacity));

	if (!words || !full) {
		if (words)
			env->free(env->ctx, words, words_bytes(capacity));
		if (full)
			env->free(env->ctx, full, full_bytes(capacity));
		return false;
	}
	if (ids->capacity) {
		memcpy(words, ids->words, words_bytes(ids->capacity));
		memcpy(full, ids->full, full_bytes(ids->capacity));
	} else {
		words[0] = 1; /* 0 is no number */
	}
	id_fini(ids, env);
	*ids = (struct id_set){words, full, capacity};
	return true;
}

u32 id_take(struct id_set *ids, const struct mounts_env *env)
{
	u32 block = 0, word;

	while (block < ids->capacity / IDS_A_STEP && ids->full[block] == UINT64_MAX)
		block++;
	if (block == ids->capacity / IDS_A_STEP && !grow(ids, env))
		return 0;
	word = block * 64 + (u32)__builtin_ctzl(~ids->full[block]);
	block = (u32)__builtin_ctzl(~ids->words[word]);
	ids->words[word] |= 1ul << block;
	if (ids->words[word] == UINT64_MAX)
		ids->full[word / 64] |= 1ul << word % 64;
	return word * 64 + block;
}

void id_give(struct id_set *ids, u32 id)
{
	ids->words[id / 64] &= ~(1ul << id % 64);
	ids->full[id / IDS_A_STEP] &= ~(1ul << id / 64 % 64);
}

void id_fini(struct id_set *ids, const struct mounts_env *env)
{
	if (!ids->capacity)
		return;
	env->free(env->ctx, ids->words, words_bytes(ids->capacity));
	env->free(env->ctx, ids->full, full_bytes(ids->capacity));
	*ids = (struct id_set){0};
}
