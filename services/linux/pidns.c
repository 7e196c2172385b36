/* See pidns.h. */
#include "pidns.h"
#include "directory.h"
#include "sched.h"
#include "signal.h"

#include <errno.h>
#include <rt/rt.h>
#include <stdlib.h>
#include <string.h>

#define HASH_SLOTS  1024u
#define NR_MAX      4194304u /* Linux's limit of numbers, with which a namespace begins */
#define NR_RESERVED 300u     /* numbers below are not given a second time */

/* What a number of the first namespace is called in those below. */
struct names {
	struct names *next; /* of the same slot */
	u32 pid;
	u32 refs;          /* of a thread, and of processes whose group or session it is */
	struct pid_ns *ns; /* the innermost, with a reference */
	u32 nr[];          /* by level - 1 */
};

static struct names *hash[HASH_SLOTS];
static u32 nnamed; /* numbers that have names: most machines have none */

static struct names **place_of(u32 pid)
{
	struct names **at = &hash[pid % HASH_SLOTS];

	while (*at && (*at)->pid != pid)
		at = &(*at)->next;
	return at;
}

static struct names *names_of(u32 pid)
{
	return nnamed ? *place_of(pid) : NULL;
}

/* ---- namespaces ---- */

struct pid_ns *pid_ns_of(struct ns *ns)
{
	return ns && ns->id != VFS_FIRST_PID_ID ? container_of(ns, struct pid_ns, ns) : NULL;
}

static void end(struct ns *ns)
{
	struct pid_ns *gone = container_of(ns, struct pid_ns, ns);

	if (gone->parent)
		ns_put(&gone->parent->ns);
	free(gone->slots);
	free(gone);
}

/* Is @owner the user namespace of @parent, or below it? */
static bool is_owned_below(const struct pid_ns *parent, const struct user_ns *owner)
{
	const struct user_ns *above = parent ? parent->ns.owner : NULL;

	if (!above)
		return true; /* all are below the first */
	while (owner && owner != above)
		owner = owner->parent;
	return owner;
}

int pid_ns_new(struct vfs *vfs, struct pid_ns *parent, struct user_ns *owner, struct ns **out)
{
	u32 level = parent ? parent->level + 1 : 1;
	struct pid_ns *ns;

	if (!is_owned_below(parent, owner))
		return -EINVAL;
	if (level > PID_NS_LEVELS)
		return -ENOSPC;
	ns = calloc(1, sizeof(*ns));
	if (!ns)
		return -ENOMEM;
	ns->parent = parent;
	ns->level = level;
	ns->nr_max = NR_MAX;
	if (parent)
		ns_get(&parent->ns);
	ns_begin(vfs, &ns->ns, NS_PID, 0, 0, owner, end);
	*out = &ns->ns;
	return 0;
}

bool pid_ns_is_in(const struct pid_ns *ns, const struct pid_ns *above)
{
	while (ns && ns != above)
		ns = ns->parent;
	return ns == above;
}

/* ---- numbers ---- */

u32 pid_ns_show(const struct pid_ns *ns, u32 pid)
{
	const struct names *names;

	if (!ns)
		return pid;
	names = names_of(pid);
	return names && pid_ns_is_in(names->ns, ns) ? names->nr[ns->level - 1] : 0;
}

/* The first slot whose number is at least @nr. */
static u32 slot_of(const struct pid_ns *ns, u32 nr)
{
	u32 low = 0, high = ns->count;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (ns->slots[middle].nr < nr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_used(const struct pid_ns *ns, u32 nr)
{
	u32 i = slot_of(ns, nr);

	return i < ns->count && ns->slots[i].nr == nr;
}

u32 pid_ns_keep(const struct pid_ns *ns, u32 nr)
{
	u32 i;

	if (!ns)
		return nr;
	i = slot_of(ns, nr);
	return i < ns->count && ns->slots[i].nr == nr ? ns->slots[i].pid : NO_PID;
}

u32 pid_ns_next_process(const struct pid_ns *ns, u32 from)
{
	if (!ns) {
		const struct process *p = process_from(from);

		return p ? p->pid : 0;
	}
	for (u32 i = slot_of(ns, from); i < ns->count; i++) {
		if (process_find(ns->slots[i].pid))
			return ns->slots[i].nr;
	}
	return 0;
}

/* Something in @ns and those around it is gone. */
static void tell_gone(struct pid_ns *ns)
{
	for (; ns; ns = ns->parent)
		fiber_wake_all(&ns->emptied);
}

static void slot_remove(struct pid_ns *ns, u32 nr)
{
	u32 i = slot_of(ns, nr);

	ns->count--;
	memmove(&ns->slots[i], &ns->slots[i + 1], (ns->count - i) * sizeof(ns->slots[0]));
	/* A first process that could not be made was never there. */
	if (!ns->count && !ns->had_init)
		ns->last_nr = 0;
}

static int slot_add(struct pid_ns *ns, u32 nr, u32 pid)
{
	u32 i = slot_of(ns, nr);

	if (ns->count == ns->room) {
		u32 room = ns->room ? 2 * ns->room : 4;
		struct pid_slot *slots = realloc(ns->slots, room * sizeof(slots[0]));

		if (!slots)
			return -ENOMEM;
		ns->slots = slots;
		ns->room = room;
	}
	memmove(&ns->slots[i + 1], &ns->slots[i], (ns->count - i) * sizeof(ns->slots[0]));
	ns->slots[i] = (struct pid_slot){nr, pid};
	ns->count++;
	return 0;
}

/* The number after the one given last that is free; 0: none. */
static u32 free_number(struct pid_ns *ns)
{
	u32 nr = ns->last_nr;

	for (u64 i = 0; i < ns->nr_max; i++) {
		nr++;
		if (nr >= ns->nr_max)
			nr = ns->last_nr > NR_RESERVED ? NR_RESERVED : 1;
		if (!is_used(ns, nr)) {
			ns->last_nr = nr;
			return nr;
		}
	}
	return 0;
}

u32 *pid_ns_last(struct pid_ns *ns)
{
	return ns ? &ns->last_nr : &process_numbers.last;
}

u64 *pid_ns_max(struct pid_ns *ns)
{
	return ns ? &ns->nr_max : &process_pid_max;
}

static u32 level_of(const struct pid_ns *ns)
{
	return ns ? ns->level : 0;
}

/* The number for a level that is @outwards levels from the innermost one. */
static u32 wished(const struct pid_wish *wish, u32 outwards)
{
	return outwards < wish->count ? (u32)wish->nr[outwards] : 0;
}

u32 pid_wish_first(const struct pid_ns *ns, bool below, const struct pid_wish *wish)
{
	return wished(wish, level_of(ns) + below);
}

static int check_number(const struct thread *t, const struct pid_ns *ns, s32 nr)
{
	const struct user_ns *owner = ns ? ns->ns.owner : NULL;

	if (nr < 1 || (u64)nr >= (ns ? ns->nr_max : process_pid_max))
		return -EINVAL;
	if (nr != 1 && ns && !ns->had_init)
		return -EINVAL;
	if (!vfs_capable_in(&t->vfs, owner, VFS_CAP_SYS_ADMIN) &&
	    !vfs_capable_in(&t->vfs, owner, CAP_CHECKPOINT_RESTORE))
		return -EPERM;
	if (ns ? is_used(ns, (u32)nr) : thread_find((u32)nr) || process_find((u32)nr))
		return -EEXIST;
	return 0;
}

int pid_ns_check(const struct thread *t, const struct pid_ns *ns, bool below,
		 const struct pid_wish *wish)
{
	const struct pid_ns *at = ns;
	int err = 0;

	if (wish->count > level_of(ns) + below + 1)
		return -EINVAL;
	/* A namespace that is new has no process 1, and is owned by who makes it. */
	if (below && wish->count && wish->nr[0] != 1)
		return -EINVAL;
	for (u32 i = below; i < wish->count && !err; i++) {
		err = check_number(t, at, wish->nr[i]);
		at = at ? at->parent : NULL;
	}
	if (err)
		return err;
	return ns && ns->ended ? -ENOMEM : 0;
}

/* Take the names of the levels above @above away. */
static void unname(struct names *names, u32 above)
{
	struct pid_ns *ns = names->ns;

	for (; ns && ns->level > above; ns = ns->parent)
		slot_remove(ns, names->nr[ns->level - 1]);
}

int pid_name(struct pid_ns *ns, u32 pid, const struct pid_wish *wish)
{
	struct names *names, **at = place_of(pid);
	int err = 0;

	if (!ns)
		return 0;
	names = calloc(1, sizeof(*names) + ns->level * sizeof(names->nr[0]));
	if (!names)
		return -ENOMEM;
	*names = (struct names){.pid = pid, .refs = 1, .ns = ns};
	for (struct pid_ns *in = ns; in && !err; in = in->parent) {
		u32 nr = wished(wish, ns->level - in->level);

		nr = nr ? nr : free_number(in);
		err = nr ? slot_add(in, nr, pid) : -EAGAIN;
		if (err)
			unname(names, in->level);
		else
			names->nr[in->level - 1] = nr;
	}
	if (err) {
		free(names);
		return err;
	}
	ns_get(&ns->ns);
	*at = names;
	nnamed++;
	return 0;
}

void pid_hold(u32 pid)
{
	struct names *names = names_of(pid);

	if (names)
		names->refs++;
}

void pid_drop(u32 pid)
{
	struct names *names = names_of(pid);

	if (!names)
		return;
	tell_gone(names->ns);
	if (--names->refs)
		return;
	*place_of(pid) = names->next;
	nnamed--;
	unname(names, 0);
	ns_put(&names->ns->ns);
	free(names);
}

/* ---- process 1 ---- */

void pid_ns_begin(struct process *p)
{
	struct pid_ns *ns = p->pid_ns;

	if (!ns || pid_ns_show(ns, p->pid) != 1)
		return;
	ns->init = p;
	ns->had_init = true;
	p->unkillable = true;
}

bool pid_ns_is_ending(const struct process *p)
{
	return p->pid_ns && p->pid_ns->init == p && p->pid_ns->ended;
}

struct process *pid_ns_reaper(const struct process *p)
{
	return p->pid_ns && p->pid_ns->init ? p->pid_ns->init : init_process;
}

/* Whose slot it is, unless it is process 1; NULL also if only a group or session has the number. */
static struct process *other(const struct pid_ns *ns, const struct pid_slot *slot)
{
	const struct thread *t = thread_find(slot->pid);
	struct process *p = t ? t->process : process_find(slot->pid);

	return p != ns->init ? p : NULL;
}

static void kill_others(const struct pid_ns *ns)
{
	/* Signals free no number at once: what they wake runs later. */
	for (u32 i = 0; i < ns->count; i++) {
		struct process *p = other(ns, &ns->slots[i]);

		if (p)
			signal_from_kernel(p, SIGKILL);
	}
}

static bool is_alone(const struct pid_ns *ns)
{
	for (u32 i = 0; i < ns->count; i++) {
		if (other(ns, &ns->slots[i]))
			return false;
	}
	return true;
}

static void reap_zombies(struct process *p)
{
	struct process *next;

	for (struct process *child = p->children; child; child = next) {
		next = child->sibling;
		if (child->zombie)
			process_reap(child);
	}
}

void pid_ns_end(struct process *p)
{
	struct pid_ns *ns = p->pid_ns;

	if (!ns || ns->init != p)
		return;
	ns->ended = true;
	kill_others(ns);
	reap_zombies(p);
	while (!is_alone(ns))
		fiber_wait(sched_loop(), &ns->emptied, FIBER_FOREVER);
	ns->init = NULL;
	if (ns->end_status)
		p->exit_status = ns->end_status;
}

int pid_ns_reboot(struct pid_ns *ns, u32 signal)
{
	if (!ns->init)
		return -EINVAL;
	ns->end_status = signal;
	signal_from_kernel(ns->init, SIGKILL);
	return 0;
}
