/*
 * See move.h. First the old core: standing still, the record, leaving; then the new one.
 */
#include "move.h"
#include "affinity.h"
#include "family.h"
#include "misc.h"
#include "moverecord.h"
#include "sched.h"
#include "signal.h"
#include "timer.h"

#include <errno.h>
#include <rt/rt.h>
#include <shard/shard.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES (SHARD_BYTES_MAX - (u32)sizeof(struct memory_piece))
#define RECORD_MAX  (1ul << 34)
#define PATIENCE_NS 2000000ul /* between two looks whether all threads stand still */
#define PATIENCE    500u      /* so many times */

enum part { PART_RECORD, PART_LATE, PARTS };

static struct shard_net *net;
static struct vfs *vfs;
static u64 last_move; /* its number */

static u32 self_core(void)
{
	return domain_start()->core;
}

/* ---- may it go? ---- */

/* All who share the place of @t are threads of its process. */
static bool has_own_place(const struct thread *t)
{
	u32 users = 0;

	for (const struct thread *o = t->process->threads; o; o = o->next)
		users += o->vfs.fs == t->vfs.fs;
	return users == t->vfs.fs->refs;
}

const char *process_cannot_move(const struct process *p)
{
	const struct fd_table *files = p->threads ? p->threads->vfs.files : NULL;

	if (!net || p == init_process || is_ghost(p) || p->zombie || !p->mm || !files)
		return "it is none that moves";
	if (p->mm->users > 1 || p->sighand->refs > 1)
		return "it shares its memory or its handlers with another process";
	if (fd_table_users(files) != p->nthreads)
		return "it shares its descriptors with another process, or its threads do not";
	for (const struct thread *t = p->threads; t; t = t->next) {
		if (t->vfs.files != files)
			return "its threads have descriptors of their own";
		if (!has_own_place(t))
			return "it shares its working directory with another process";
	}
	return NULL;
}

void process_move(struct process *p, u32 core)
{
	if (core == self_core() || !net || process_cannot_move(p)) {
		p->leaving = false;
		return;
	}
	p->move_to = core;
	p->leaving = true;
	for (struct thread *t = p->threads; t; t = t->next) {
		fiber_wake_all(&t->stopped);
		signal_interrupt(t);
	}
}

static void say_why(const struct process *p, const char *why)
{
	static bool said;

	if (!said)
		printf("linux: process %u (%s) stays on core %u: %s\n", p->pid,
		       process_thread(p)->name, self_core(), why);
	said = true;
}

/* ---- standing still ---- */

/* A call that was interrupted for the sake of the move alone is made again. */
static void settle_interrupted(struct thread *t)
{
	bool signals = (t->pending.set | t->process->pending.set) & ~t->sigmask;

	if (t->call_number != UINT64_MAX && (s64)t->regs->rax == -EINTR && !signals)
		t->regs->rax = (u64)-E_RESTARTNOHAND;
}

static bool all_still(const struct process *p)
{
	for (const struct thread *t = p->threads; t; t = t->next) {
		if (!t->still && t != p->mover)
			return false;
	}
	return true;
}

static int stand_still(struct process *p)
{
	for (struct thread *t = p->threads; t; t = t->next) {
		if (t == p->mover)
			continue;
		if (sched_remove(t))
			t->still = true;
		fiber_wake_all(&t->stopped);
		signal_interrupt(t);
	}
	for (u32 i = 0; !all_still(p); i++) {
		if (i == PATIENCE || p->group_exit)
			return -EBUSY;
		fiber_wait(&rt_loop, &p->move_wait, clock_now_ns() + PATIENCE_NS);
	}
	return 0;
}

static void go_on(struct process *p)
{
	p->leaving = false;
	p->mover = NULL;
	for (struct thread *t = p->threads; t; t = t->next) {
		if (!t->still)
			continue;
		t->still = false;
		t->look_first = true;
		sched_add(t);
	}
}

/* ---- the record ---- */

/* Pieces of a record, by call or, for what comes late, without waiting. */
static int send_pieces(u32 core, u64 move, enum part part, const struct record *r)
{
	s64 err = r->failed ? -ENOMEM : 0;
	u8 *packet = malloc(SHARD_BYTES_MAX);

	if (!packet)
		return -ENOMEM;
	for (u64 at = 0; at < r->bytes && !err; at += PIECE_BYTES) {
		struct memory_piece piece = {
			.move = move,
			.offset = at,
			.whole = r->bytes,
			.part = part,
			.bytes = (u32)MIN(r->bytes - at, (u64)PIECE_BYTES),
		};
		u32 bytes = (u32)sizeof(piece) + piece.bytes;

		memcpy(packet, &piece, sizeof(piece));
		memcpy(packet + sizeof(piece), r->at + at, piece.bytes);
		if (part == PART_LATE)
			err = shard_tell(net, core, MEMORY_MOVE_PIECE, packet, bytes);
		else
			err = shard_call(net, core, MEMORY_MOVE_PIECE, packet, bytes, NULL, 0,
					 NULL);
	}
	free(packet);
	return (int)err;
}

static void drop(u32 core, u64 move)
{
	shard_tell(net, core, MEMORY_MOVE_DROP, &move, sizeof(move));
}

/* Have the process made there. After an error nothing is left there. */
static int make_there(struct process *p, u32 core, u64 move)
{
	struct memory_made made = {0};
	struct record r = {0};
	struct goods goods;
	u64 family = family_bytes(p);
	u32 got;
	s64 err = goods_export(p, core, &goods);

	if (err)
		return (int)err;
	record_put(&r, &family, sizeof(family));
	goods_write(p, &goods, &r);
	err = process_write(p, &goods, &r);
	if (!err)
		err = send_pieces(core, move, PART_RECORD, &r);
	if (!err)
		err = shard_call(net, core, MEMORY_MOVE_MAKE, &move, sizeof(move), &made,
				 sizeof(made), &got);
	if (err) {
		goods_unexport(p, &goods);
		drop(core, move);
	} else {
		err = made.status;
	}
	goods_free(&goods);
	record_free(&r);
	return (int)err;
}

/* What has come meanwhile, and that it runs. Does not wait: if it succeeds, @p is there. */
static int run_there(struct process *p, u32 core, u64 move)
{
	struct record r = {0};
	u64 bytes = family_bytes(p);
	void *family;
	int err;

	record_put(&r, &bytes, sizeof(bytes));
	family = record_add(&r, bytes);
	if (family)
		family_export(p, family);
	late_write(p, &r);
	err = send_pieces(core, move, PART_LATE, &r);
	if (!err)
		err = shard_tell(net, core, MEMORY_MOVE_RUN, &move, sizeof(move));
	if (err)
		drop(core, move);
	record_free(&r);
	return err;
}

/* ---- leaving ---- */

static void forget(struct process *p)
{
	timer_cancel(&p->real);
	posix_timers_delete(p);
	cpu_timer_cancel(&p->virtual);
	cpu_timer_cancel(&p->prof);
	pending_clear(&p->pending);
	for (struct thread *t = p->threads; t; t = t->next) {
		pending_clear(&t->pending);
		fd_table_put(NULL, t->vfs.files);
		fs_context_put(t->vfs.fs);
		t->vfs.files = NULL;
		t->vfs.fs = NULL;
	}
	mm_put(p->mm);
	p->mm = NULL;
	sighand_put(p->sighand);
	p->sighand = NULL;
	process_gone_elsewhere(p);
	fiber_wake_all(&process_ends);
}

static int move(struct process *p, u32 core)
{
	u64 number = ++last_move;
	int err = make_there(p, core, number);

	if (err)
		return err;
	if (p->group_exit || (p->pending.set | p->mover->pending.set) & SIG_MASK(SIGKILL)) {
		drop(core, number);
		return -EINTR;
	}
	err = run_there(p, core, number);
	if (err)
		return err;
	p->elsewhere = true;
	family_left(p, core);
	forget(p);
	return 0;
}

enum move_result move_thread(struct thread *t)
{
	struct process *p = t->process;
	const char *why;
	int err;

	settle_interrupted(t);
	if (p->mover) {
		t->still = true;
		fiber_wake_all(&p->move_wait);
		return MOVE_WAITS;
	}
	why = process_cannot_move(p);
	if (why || p->group_exit) {
		p->leaving = false;
		if (why)
			say_why(p, why);
		return MOVE_STAYS;
	}
	p->mover = t;
	err = stand_still(p);
	if (!err)
		err = move(p, p->move_to);
	if (!err)
		return MOVE_GONE;
	if (err != -EINTR && err != -EBUSY)
		say_why(p, strerror(-err));
	go_on(p);
	return MOVE_STAYS;
}

/* ---- the new core ---- */

struct incoming {
	struct incoming *next;
	u32 core;
	u64 move;
	struct record part[PARTS];
	struct process *process; /* made, but does not run */
	bool busy;               /* it is being made */
	bool dropped;            /* meanwhile */
};

static struct incoming *incomings;

static struct incoming *find_incoming(u32 core, u64 move)
{
	struct incoming *in = incomings;

	while (in && (in->core != core || in->move != move))
		in = in->next;
	return in;
}

static struct incoming *incoming_new(u32 core, u64 move)
{
	struct incoming *in = calloc(1, sizeof(*in));

	if (!in)
		return NULL;
	in->core = core;
	in->move = move;
	in->next = incomings;
	incomings = in;
	return in;
}

static void incoming_free(struct incoming *in)
{
	struct incoming **at = &incomings;

	while (*at != in)
		at = &(*at)->next;
	*at = in->next;
	for (u32 i = 0; i < PARTS; i++)
		record_free(&in->part[i]);
	free(in);
}

static s64 serve_piece(struct shard_request *q)
{
	const struct memory_piece *piece = shard_args(q, sizeof(*piece));
	struct incoming *in;
	struct record *r;

	if (!piece || piece->bytes != q->bytes - sizeof(*piece) || piece->part >= PARTS ||
	    piece->whole > RECORD_MAX || piece->offset > piece->whole ||
	    piece->bytes > piece->whole - piece->offset)
		return -EBADMSG;
	in = find_incoming(q->core, piece->move);
	if (!in)
		in = incoming_new(q->core, piece->move);
	if (!in)
		return -ENOMEM;
	r = &in->part[piece->part];
	if (!r->at && !record_add(r, piece->whole))
		return -ENOMEM;
	if (r->bytes != ROUND_UP(piece->whole, 8ul))
		return -EBADMSG;
	memcpy(r->at + piece->offset, piece + 1, piece->bytes);
	return 0;
}

/* A process of the record of @in, that does not run. */
static int make(struct incoming *in)
{
	struct record *r = &in->part[PART_RECORD];
	struct arrived a;
	u64 family = 0;
	int err;

	if (!record_get(r, &family, sizeof(family)) || family > RECORD_MAX)
		return -EBADMSG;
	err = goods_read(vfs, r, &a);
	if (err)
		return err;
	err = process_read(vfs, r, &a, &in->process);
	arrived_free(&a);
	if (err)
		return err;
	err = family_prepare(in->process, family);
	if (err) {
		process_unmake(in->process);
		in->process = NULL;
	}
	return err;
}

static void unmake(struct incoming *in)
{
	if (in->process) {
		family_unprepare(in->process);
		process_unmake(in->process);
		fiber_wake_all(&process_ends);
	}
	incoming_free(in);
}

static struct incoming *incoming_of(const struct shard_request *q)
{
	const u64 *move = shard_args(q, sizeof(*move));

	return move ? find_incoming(q->core, *move) : NULL;
}

static s64 serve_make(struct shard_request *q)
{
	struct incoming *in = incoming_of(q);
	struct memory_made *made;

	if (!in || in->process || in->busy)
		return -EBADMSG;
	made = shard_answer(q, sizeof(*made));
	if (!made)
		return -ENOMEM;
	in->busy = true;
	made->status = make(in);
	in->busy = false;
	record_free(&in->part[PART_RECORD]);
	if (made->status || in->dropped)
		unmake(in);
	return 0;
}

static s64 serve_run(struct shard_request *q)
{
	struct incoming *in = incoming_of(q);
	struct record *r = in ? &in->part[PART_LATE] : NULL;
	struct process *p = in ? in->process : NULL;
	const void *family = NULL;
	u64 bytes = 0;

	if (!p)
		return -EBADMSG;
	if (record_get(r, &bytes, sizeof(bytes)))
		family = record_next(r, bytes);
	p->elsewhere = false;
	late_read(p, r);
	if (!family || family_arrive(p, family, bytes))
		printf("linux: process %u has lost its family on its way from core %u\n", p->pid,
		       q->core);
	for (struct thread *t = p->threads; t; t = t->next) {
		t->look_first = true;
		sched_add(t);
	}
	fiber_wake_all(&process_ends); /* who waits for its end has waited for it to come */
	affinity_obey(p);
	incoming_free(in);
	return 0;
}

static void drop_incoming(struct incoming *in)
{
	if (in->busy)
		in->dropped = true;
	else
		unmake(in);
}

static s64 serve_drop(struct shard_request *q)
{
	struct incoming *in = incoming_of(q);

	if (in)
		drop_incoming(in);
	return 0;
}

static void core_died(struct shard_net *of, u32 core, void *arg)
{
	struct incoming *next;

	(void)of;
	(void)arg;
	for (struct incoming *in = incomings; in; in = next) {
		next = in->next;
		if (in->core == core)
			drop_incoming(in);
	}
}

int move_init(struct shard_net *shard_net, struct vfs *files)
{
	static const struct {
		u16 op;
		shard_handler *handler;
	} served[] = {
		{MEMORY_MOVE_PIECE, serve_piece},
		{MEMORY_MOVE_MAKE, serve_make},
		{MEMORY_MOVE_RUN, serve_run},
		{MEMORY_MOVE_DROP, serve_drop},
	};
	int err = 0;

	for (u32 i = 0; i < ARRAY_SIZE(served) && !err; i++)
		err = shard_serve(shard_net, served[i].op, served[i].handler, NULL);
	if (!err)
		err = shard_on_death(shard_net, core_died, NULL);
	net = shard_net;
	vfs = files;
	return err;
}
