/*
 * Where the cycles go: a profile by stacks of calls, if "profile=FILE" is asked for.
 *
 * Each core keeps shadow stacks of the calls it sees, told apart by address space and stack
 * pointer: a frame is there as long as the stack pointer is not above the slot of its return
 * address. So nothing is asked of the guest: neither frame pointers nor unwinding tables, and
 * Skerry, Linux and programs are profiled alike. At each block, the cycles since the last one are
 * put on that one's account and its stack's: what it took, its stalls, its turns in a queue.
 * Time in a halt is nobody's.
 *
 * A frame that was there before the model's caches were on is not known. A stack is found again by
 * its range: one that the stack pointer was moved to by an instruction, or in another space.
 *
 * The file, at each report: blocks "b ID ADDRESS CODE", nodes of the tree of callers "n CORE ID
 * PARENT BLOCK" (0: the root), accounts "c CORE NODE BLOCK CYCLES INSTRUCTIONS", "." at its end. A
 * block's program is told by its code, of which the first bytes are given (hake/profile).
 *
 * All of a core's is touched by its own thread, or by the slot's holder while the others wait.
 */
#include "timing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODE_BYTES 32
#define MAX_DEPTH  96
#define MAX_STACKS 512
#define MAX_NODES  (1u << 18) /* of a core; further callers are left out */
/* A stack may begin so much above, or end below, where it was seen. */
#define SLACK 1024

struct block {
	uint64_t vaddr;
	uint32_t id, ncode, ninsns;
	bool moves_sp;
	uint8_t code[CODE_BYTES];
	struct block *next; /* of all, and of its hash */
	struct block *same;
};

struct frame {
	uint64_t slot;
	uint32_t node;
};

struct stack {
	uint64_t space, low, high, used;
	uint32_t depth;
	struct frame frames[MAX_DEPTH];
};

struct node {
	uint32_t parent;
	const struct block *caller;
};

struct account {
	const struct block *block; /* NULL: free */
	uint32_t node;
	uint64_t cycles, instructions;
};

/* Tables of open addressing: sizes are powers of two, at most half full. */
struct profile_core {
	const struct block *block; /* where it is; NULL: halted, or not seen yet */
	uint32_t node;
	uint64_t last; /* clock until which all is on some account */
	struct stack *stack, *stacks[MAX_STACKS];
	uint32_t nstacks;
	uint64_t turn;
	struct node *nodes;
	uint32_t nnodes, node_room;
	uint32_t *children; /* by parent and caller */
	struct account *accounts;
	uint32_t naccounts, room;
	struct qemu_plugin_register *sp, *cr3;
	GByteArray *bytes;
};

static struct {
	FILE *out;
	pthread_mutex_t lock; /* of the blocks */
	struct block *blocks, *hash[1 << 16];
	uint32_t nblocks;
	struct profile_core cores[MAX_CORES];
} profile = {.lock = PTHREAD_MUTEX_INITIALIZER};

bool profile_open(const char *path)
{
	profile.out = fopen(path, "we");
	return profile.out != NULL;
}

bool profile_on(void)
{
	return profile.out != NULL;
}

static void *need(void *memory)
{
	if (!memory)
		timing_die("no memory for the profile");
	return memory;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ b * 0x9e3779b97f4a7c15ull) * 0xff51afd7ed558ccdull;

	return h ^ h >> 32;
}

/* --- Accounts --- */

static void grow_accounts(struct profile_core *p)
{
	uint32_t room = p->room ? p->room * 2 : 4096;
	struct account *v = need(calloc(room, sizeof(*v)));

	for (uint32_t i = 0; i < p->room; i++) {
		const struct account *a = &p->accounts[i];
		uint32_t at;

		if (!a->block)
			continue;
		for (at = mix(a->block->id, a->node) & (room - 1); v[at].block;)
			at = (at + 1) & (room - 1);
		v[at] = *a;
	}
	free(p->accounts);
	p->accounts = v;
	p->room = room;
}

static struct account *account_of(struct profile_core *p, const struct block *b, uint32_t node)
{
	struct account *a;

	if (p->naccounts * 2 >= p->room)
		grow_accounts(p);
	for (uint32_t at = mix(b->id, node) & (p->room - 1);; at = (at + 1) & (p->room - 1)) {
		a = &p->accounts[at];
		if (a->block == b && a->node == node)
			return a;
		if (!a->block)
			break;
	}
	*a = (struct account){.block = b, .node = node};
	p->naccounts++;
	return a;
}

/* Puts what has passed since on the account of where @c is. */
static void charge(struct core *c, struct profile_core *p, bool left)
{
	uint64_t now = core_clock(c);
	struct account *a;

	if (!p->block || now < p->last) {
		p->last = now;
		return;
	}
	a = account_of(p, p->block, p->node);
	a->cycles += now - p->last;
	if (left)
		a->instructions += p->block->ninsns;
	p->last = now;
}

/* --- Stacks --- */

static uint64_t read_register(struct profile_core *p, struct qemu_plugin_register *r)
{
	uint64_t value = 0;

	g_byte_array_set_size(p->bytes, 0);
	if (qemu_plugin_read_register(r, p->bytes) > 0)
		memcpy(&value, p->bytes->data, p->bytes->len < 8 ? p->bytes->len : 8);
	return value;
}

static uint64_t distance(const struct stack *s, uint64_t sp)
{
	return sp < s->low ? s->low - sp : sp > s->high ? sp - s->high : 0;
}

static struct stack *new_stack(struct profile_core *p)
{
	struct stack *oldest = p->nstacks ? p->stacks[0] : NULL;

	if (p->nstacks < MAX_STACKS)
		return p->stacks[p->nstacks++] = need(calloc(1, sizeof(struct stack)));
	for (uint32_t i = 1; i < p->nstacks; i++) {
		if (p->stacks[i]->used < oldest->used)
			oldest = p->stacks[i];
	}
	return oldest;
}

static struct stack *find_stack(struct profile_core *p, uint64_t space, uint64_t sp)
{
	struct stack *best = NULL;

	for (uint32_t i = 0; i < p->nstacks; i++) {
		struct stack *s = p->stacks[i];

		if (s->space == space && distance(s, sp) <= SLACK &&
		    (!best || distance(s, sp) < distance(best, sp)))
			best = s;
	}
	if (best)
		return best;
	best = new_stack(p);
	*best = (struct stack){.space = space, .low = sp, .high = sp};
	return best;
}

/* The stack that @p is on now, without the frames that have returned. */
static struct stack *look_stack(struct profile_core *p, uint64_t *sp)
{
	struct stack *s = p->stack;
	uint64_t space;

	*sp = read_register(p, p->sp);
	/* The kernel's half is the same in all spaces. */
	space = *sp >> 63 ? UINT64_MAX : read_register(p, p->cr3) & ~0xfffull;
	if (!s || s->space != space || (p->block && p->block->moves_sp && distance(s, *sp)))
		s = find_stack(p, space, *sp);
	p->stack = s;
	s->used = ++p->turn;
	s->low = *sp < s->low ? *sp : s->low;
	s->high = *sp > s->high ? *sp : s->high;
	while (s->depth && s->frames[s->depth - 1].slot < *sp)
		s->depth--;
	return s;
}

static uint32_t top_node(const struct stack *s)
{
	return s->depth ? s->frames[s->depth - 1].node : 0;
}

static void grow_nodes(struct profile_core *p)
{
	uint32_t room = p->node_room ? p->node_room * 2 : 1024;

	p->nodes = need(realloc(p->nodes, room * sizeof(*p->nodes)));
	free(p->children);
	p->children = need(calloc(room * 2, sizeof(*p->children)));
	p->node_room = room;
	for (uint32_t i = 1; i < p->nnodes; i++) {
		uint64_t at = mix(p->nodes[i].parent, p->nodes[i].caller->id);

		while (p->children[at & (room * 2 - 1)])
			at++;
		p->children[at & (room * 2 - 1)] = i;
	}
}

static uint32_t child_node(struct profile_core *p, uint32_t parent, const struct block *caller)
{
	uint64_t at = mix(parent, caller->id);
	uint32_t *slot;

	if (!p->nnodes)
		p->nnodes = 1; /* 0 is the root */
	if (p->nnodes >= p->node_room)
		grow_nodes(p);
	for (; *(slot = &p->children[at & (p->node_room * 2 - 1)]); at++) {
		const struct node *n = &p->nodes[*slot];

		if (n->parent == parent && n->caller == caller)
			return *slot;
	}
	if (p->nnodes == MAX_NODES)
		return parent;
	p->nodes[p->nnodes] = (struct node){parent, caller};
	return *slot = p->nnodes++;
}

/* --- What executes --- */

static void on_block(unsigned int vcpu, void *data)
{
	struct profile_core *p = &profile.cores[vcpu];
	uint64_t sp;

	charge(&timing.cores[vcpu], p, true);
	p->node = top_node(look_stack(p, &sp));
	p->block = data;
}

static void on_call(unsigned int vcpu, void *data)
{
	struct profile_core *p = &profile.cores[vcpu];
	uint64_t sp;
	struct stack *s = look_stack(p, &sp);

	if (s->depth == MAX_DEPTH)
		return;
	s->frames[s->depth] = (struct frame){sp - 8, child_node(p, top_node(s), data)};
	s->depth++;
}

static struct block *find_block(const struct block *want)
{
	uint64_t h = want->vaddr;
	struct block *b;

	for (uint32_t i = 0; i < want->ncode; i++)
		h = mix(h, want->code[i]);
	h &= sizeof(profile.hash) / sizeof(*profile.hash) - 1;
	pthread_mutex_lock(&profile.lock);
	for (b = profile.hash[h]; b; b = b->same) {
		if (b->vaddr == want->vaddr && b->ncode == want->ncode &&
		    b->ninsns == want->ninsns && memcmp(b->code, want->code, b->ncode) == 0)
			break;
	}
	if (!b) {
		b = need(malloc(sizeof(*b)));
		*b = *want;
		b->id = profile.nblocks++;
		b->next = profile.blocks;
		b->same = profile.hash[h];
		profile.blocks = profile.hash[h] = b;
	}
	pthread_mutex_unlock(&profile.lock);
	return b;
}

void profile_translate(struct qemu_plugin_tb *tb)
{
	struct block want = {.vaddr = qemu_plugin_tb_vaddr(tb),
			     .ninsns = (uint32_t)qemu_plugin_tb_n_insns(tb)};
	struct qemu_plugin_insn *call = NULL;
	struct block *b;

	for (uint32_t i = 0; i < want.ninsns; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint8_t code[16] = {0};
		uint32_t len = (uint32_t)qemu_plugin_insn_data(insn, code, sizeof(code));
		enum insn_flow flow = insn_flow(code, len);

		for (uint32_t k = 0; k < len && want.ncode < CODE_BYTES; k++)
			want.code[want.ncode++] = code[k];
		want.moves_sp |= flow == INSN_MOVES_SP;
		call = flow == INSN_CALL ? insn : NULL;
	}
	b = find_block(&want);
	qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_PLUGIN_CB_R_REGS, b);
	/* It ends its block. */
	if (call)
		qemu_plugin_register_vcpu_insn_exec_cb(call, on_call, QEMU_PLUGIN_CB_R_REGS, b);
}

void profile_halted(struct core *c)
{
	struct profile_core *p = &profile.cores[c->index];

	if (!profile.out || !c->spent)
		return;
	charge(c, p, true);
	p->block = NULL;
}

/* --- Beginning and end --- */

void profile_init_core(struct core *c)
{
	struct profile_core *p = &profile.cores[c->index];
	GArray *all;

	if (!profile.out)
		return;
	all = need(qemu_plugin_get_registers());
	for (uint32_t i = 0; i < all->len; i++) {
		const qemu_plugin_reg_descriptor *r =
			&((const qemu_plugin_reg_descriptor *)(const void *)all->data)[i];

		if (strcmp(r->name, "rsp") == 0)
			p->sp = r->handle;
		else if (strcmp(r->name, "cr3") == 0)
			p->cr3 = r->handle;
	}
	g_array_free(all, 1);
	if (!p->sp || !p->cr3)
		timing_die("this QEMU does not show plugins the registers rsp and cr3, so there "
			   "can be no profile");
	p->bytes = need(g_byte_array_new());
}

void profile_forget(void)
{
	for (uint32_t i = 0; i < timing.ncores; i++)
		profile.cores[i].block = NULL;
}

void profile_begin(void)
{
	for (uint32_t i = 0; profile.out && i < timing.ncores; i++) {
		struct profile_core *p = &profile.cores[i];

		if (p->room)
			memset(p->accounts, 0, p->room * sizeof(*p->accounts));
		p->naccounts = 0;
		if (timing.cores[i].spent)
			p->last = core_clock(&timing.cores[i]);
	}
}

static void write_core(struct core *c, struct profile_core *p)
{
	if (c->spent)
		charge(c, p, false);
	for (uint32_t i = 1; i < p->nnodes; i++)
		fprintf(profile.out, "n %u %u %u %u\n", c->index, i, p->nodes[i].parent,
			p->nodes[i].caller->id);
	for (uint32_t i = 0; i < p->room; i++) {
		const struct account *a = &p->accounts[i];

		if (a->block)
			fprintf(profile.out, "c %u %u %u %llu %llu\n", c->index, a->node,
				a->block->id, (unsigned long long)(a->cycles / MILLI),
				(unsigned long long)a->instructions);
	}
}

void profile_report(void)
{
	if (!profile.out)
		return;
	for (const struct block *b = profile.blocks; b; b = b->next) {
		fprintf(profile.out, "b %u %llx ", b->id, (unsigned long long)b->vaddr);
		for (uint32_t i = 0; i < b->ncode; i++)
			fprintf(profile.out, "%02x", b->code[i]);
		fputc('\n', profile.out);
	}
	for (uint32_t i = 0; i < timing.ncores; i++)
		write_core(&timing.cores[i], &profile.cores[i]);
	fputs(".\n", profile.out);
	fflush(profile.out);
}
