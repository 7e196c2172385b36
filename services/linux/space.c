/* See space.h. */
#include "space.h"

#include <errno.h>
#include <rt/rt.h>
#include <stdlib.h>
#include <string.h>

#define SPACE_RAM     (64 * KiB) /* the space's object and its first page tables */
#define SPACE_TABLES  12u
#define EXTRA_RAM     (128 * KiB)
#define EXTRA_TABLES  32u
#define CONTEXTS_KEPT 16u       /* with their pages */
#define POOL_RAM      (1 * MiB) /* that is asked for at a time, and cut up */

struct table_block {
	struct table_block *next;
	cap_t ram, table;
};

static cap_t pool_ram;
static struct space *free_spaces;
static struct table_block *free_blocks;
static struct context *free_contexts;
static u32 nfree_contexts;
static cap_t context_ram;

/* An object made of the memory at hand, or of more. */
static cap_t make_object(cap_t *from, u32 type, u64 bytes, u64 more_bytes)
{
	cap_t slot = slot_new();
	struct rt_frame more;
	s64 err = -ENOMEM;

	if (slot == CAP_NONE)
		return CAP_NONE;
	if (*from != CAP_NONE)
		err = sys_retype(*from, type, bytes, slot);
	if (err == -ENOMEM && more_bytes && rt_ram_new(more_bytes, &more) == 0) {
		*from = more.cap;
		err = sys_retype(*from, type, bytes, slot);
	}
	if (!err)
		return slot;
	slot_put(slot);
	return CAP_NONE;
}

/* ---- page tables beyond the first ---- */

static struct table_block *block_new(void)
{
	struct table_block *b = free_blocks;

	if (b) {
		free_blocks = b->next;
		return b;
	}
	b = calloc(1, sizeof(*b));
	if (!b)
		return NULL;
	b->ram = make_object(&pool_ram, CAP_RAM, EXTRA_RAM, POOL_RAM);
	if (b->ram != CAP_NONE)
		return b;
	free(b);
	return NULL;
}

static void block_put(struct table_block *b)
{
	sys_cap_revoke(b->ram);
	slot_put(b->table);
	b->table = CAP_NONE;
	b->next = free_blocks;
	free_blocks = b;
}

static int more_tables(struct space *s)
{
	struct table_block *b = block_new();

	if (!b)
		return -ENOMEM;
	b->table = make_object(&b->ram, CAP_TABLE, EXTRA_TABLES * PAGE_SIZE, 0);
	if (b->table == CAP_NONE || sys_aspace_donate(s->aspace, b->table)) {
		block_put(b);
		return -ENOMEM;
	}
	b->next = s->extra;
	s->extra = b;
	return 0;
}

/* ---- spaces ---- */

/* The capabilities of a space are gone once its memory is revoked. */
static void space_unmake(struct space *s)
{
	struct table_block *next;

	sys_cap_revoke(s->ram);
	slot_put(s->aspace);
	slot_put(s->table);
	s->aspace = s->table = CAP_NONE;
	for (struct table_block *b = s->extra; b; b = next) {
		next = b->next;
		block_put(b);
	}
	s->extra = NULL;
}

static int space_build(struct space *s)
{
	s->aspace = make_object(&s->ram, CAP_ASPACE | ASPACE_CONTEXT, ASPACE_BYTES, 0);
	s->table = make_object(&s->ram, CAP_TABLE, SPACE_TABLES * PAGE_SIZE, 0);
	if (s->aspace == CAP_NONE || s->table == CAP_NONE ||
	    sys_aspace_donate(s->aspace, s->table)) {
		space_unmake(s);
		return -ENOMEM;
	}
	return 0;
}

struct space *space_new(void)
{
	struct space *s = free_spaces;

	if (s) {
		free_spaces = s->next;
	} else {
		s = calloc(1, sizeof(*s));
		if (!s)
			return NULL;
		s->ram = make_object(&pool_ram, CAP_RAM, SPACE_RAM, POOL_RAM);
		if (s->ram == CAP_NONE) {
			free(s);
			return NULL;
		}
	}
	if (s->aspace == CAP_NONE && space_build(s)) {
		s->next = free_spaces;
		free_spaces = s;
		return NULL;
	}
	return s;
}

void space_put(struct space *s)
{
	struct aspace_op clear = {.op = OP_CLEAR};

	if ((s->extra && s->extra->next) || sys_aspace_update(s->aspace, &clear, 1) != 1)
		space_unmake(s);
	s->next = free_spaces;
	free_spaces = s;
}

/* ---- batches ---- */

int batch_flush(struct batch *b)
{
	u32 done = 0;
	int err = 0;

	while (done < b->count) {
		s64 n = sys_aspace_update(b->space->aspace, &b->op[done], b->count - done);

		if (n < 0) {
			err = (int)n;
			break;
		}
		done += (u32)n;
		if (done == b->count)
			break;
		if (b->op[done].result != -ENOMEM)
			rt_panic("linux: mapping %#lx: %ld", b->op[done].va, b->op[done].result);
		err = more_tables(b->space);
		if (err)
			break;
	}
	b->count = 0;
	b->next_data = NULL;
	return err;
}

static struct aspace_op *batch_next(struct batch *b, int *err)
{
	*err = b->count == BATCH_OPS ? batch_flush(b) : 0;
	return &b->op[b->count++];
}

int batch_map_more(struct batch *b, u64 va, const struct page *page, u32 flags)
{
	u64 offset;
	cap_t frame = ram_frame(page, &offset);
	int err;

	*batch_next(b, &err) = (struct aspace_op){
		.op = OP_MAP,
		.flags = flags,
		.va = va,
		.offset = offset,
		.pages = 1,
		.frame = frame,
	};
	b->mapped++;
	b->next_flags = flags;
	b->next_va = va + PAGE_SIZE;
	b->next_data = (const u8 *)page->data + PAGE_SIZE;
	return err;
}

int batch_change(struct batch *b, u32 op, u64 va, u32 pages)
{
	int err;

	b->next_data = NULL;
	*batch_next(b, &err) = (struct aspace_op){
		.op = op,
		.flags = MAP_READ | MAP_EXEC,
		.va = va,
		.pages = pages,
	};
	return err;
}

int batch_unmap_large(struct batch *b, u64 va)
{
	int err;

	b->next_data = NULL;
	*batch_next(b, &err) = (struct aspace_op){
		.op = OP_UNMAP,
		.flags = MAP_READ | MAP_LARGE,
		.va = va,
		.pages = 1,
	};
	return err;
}

int space_map_large(struct space *s, u64 va, const struct page *first, u32 flags)
{
	u64 offset;
	cap_t frame = ram_frame(first, &offset);
	struct aspace_op op = {
		.op = OP_MAP,
		.flags = flags | MAP_LARGE | MAP_REPLACE,
		.va = va,
		.offset = offset,
		.pages = 1,
		.frame = frame,
	};
	int err = 0;

	while (!err && sys_aspace_update(s->aspace, &op, 1) != 1)
		err = op.result == -ENOMEM ? more_tables(s) : -EINVAL;
	return err;
}

/* ---- contexts ---- */

u32 xstate_bytes(void)
{
	static u32 bytes;
	u32 a = 0xd, c = 0, d;

	if (!bytes) { /* CPUID leaf 0DH: SDM vol. 2A */
		__asm__("cpuid" : "+a"(a), "=b"(bytes), "+c"(c), "=d"(d));
		bytes = MIN(bytes, (u32)sizeof(((struct context_state *)0)->xstate));
	}
	return bytes;
}

void context_reset_xstate(struct context_state *state)
{
	memset(state->xstate, 0, xstate_bytes());
	*(u16 *)state->xstate = 0x37f;         /* x87 control word */
	*(u32 *)(state->xstate + 24) = 0x1f80; /* MXCSR */
	*(u64 *)(state->xstate + 512) = 3;     /* XSTATE_BV: x87 and SSE */
}

/* One with a page for its state; NULL: no memory. */
static struct context *context_make(void)
{
	struct context *c = free_contexts;

	if (c) {
		free_contexts = c->next;
		nfree_contexts--;
	} else {
		c = calloc(1, sizeof(*c));
		if (!c)
			return NULL;
		c->cap = make_object(&context_ram, CAP_CONTEXT, CONTEXT_BYTES, 64 * KiB);
		if (c->cap == CAP_NONE) {
			free(c);
			return NULL;
		}
	}
	if (!c->page)
		c->page = ram_new();
	if (c->page)
		return c;
	context_put(c);
	return NULL;
}

struct context *context_new(void)
{
	struct context *c = context_make();

	if (!c)
		return NULL;
	c->state = (struct context_state *)c->page->data;
	memset(c->state, 0, offsetof(struct context_state, xstate));
	context_reset_xstate(c->state);
	return c;
}

/* A few keep their pages; CONTEXT_SETUP tells the CPU driver of another one before it is used. */
void context_put(struct context *c)
{
	if (nfree_contexts >= CONTEXTS_KEPT && c->page) {
		ram_put(c->page);
		c->page = NULL;
	}
	c->next = free_contexts;
	free_contexts = c;
	nfree_contexts++;
}

int context_bind(struct context *c, const struct space *space)
{
	u64 offset;
	cap_t frame = ram_frame(c->page, &offset);

	return (int)sys_context_setup(c->cap, space->aspace, frame, offset);
}
