/*
 * Slots and the derivation tree. See cap.h.
 */
#include "cap.h"
#include "aspace.h"
#include "domain.h"
#include "kernel.h"
#include "object.h"
#include "syscall.h"

/* Steps of work that one CAP_REVOKE does before it returns -EAGAIN. */
#define REVOKE_STEPS 64u
#define DEPTH_MAX    1000u /* of derivation; beyond it copying is refused */

int cap_find_empty(const struct domain *d, cap_t slot, struct cap **cap)
{
	struct cap *c = slot ? cap_slot(d, slot) : NULL;

	if (!c)
		return -EBADF;
	if (c->type != CAP_NULL)
		return -EEXIST;
	*cap = c;
	return 0;
}

int cap_find_mint(u64 core, u32 rights, u64 to, struct cap **authority, struct cap **dst)
{
	int err = cap_find((cap_t)core, CAP_CORE, rights, authority);

	return err ? err : cap_find_empty(current, (cap_t)to, dst);
}

void cap_insert(struct cap *to, const struct cap *value, struct cap *parent)
{
	*to = *value;
	to->prev = parent;
	to->next = parent ? parent->next : NULL;
	to->depth = parent ? parent->depth + 1 : 0;
	to->sibling = NULL;
	to->sweep_va = 0;
	if (to->next)
		to->next->prev = to;
	if (parent)
		parent->next = to;
}

static void unlink(struct cap *cap)
{
	if (cap->prev)
		cap->prev->next = cap->next;
	if (cap->next)
		cap->next->prev = cap->prev;
	memset(cap, 0, sizeof(*cap));
}

bool cap_has_descendants(const struct cap *cap)
{
	return cap->next && cap->next->depth > cap->depth;
}

/* What is taken of RAM: nothing once all that was made of it is gone. */
u64 cap_ram_used(const struct cap *ram)
{
	return cap_has_descendants(ram) ? ram->mem.used : 0;
}

static bool is_copyable(const struct cap *from)
{
	switch (from->type) {
	case CAP_CNODE:
	case CAP_TABLE:
	case CAP_REPLY:
		return false;
	case CAP_RAM: /* the copy takes all that is left of it */
		return cap_ram_used(from) < from->mem.bytes && !(from->flags & CAPF_DIRTY);
	default:
		return true;
	}
}

int cap_check_copy(const struct cap *from, u32 rights)
{
	if (from->type == CAP_NULL)
		return -EBADF;
	if (!is_copyable(from) || from->depth >= DEPTH_MAX)
		return -ENOTSUP;
	if (!(from->rights & RIGHT_GRANT) || rights & ~(u32)from->rights)
		return -EPERM;
	return 0;
}

/* From now on @frame's memory may be mapped somewhere; a copy's original was told already. */
void cap_note_mappable(struct cap *frame)
{
	if (frame->type == CAP_FRAME && frame->flags & CAPF_ORIGINAL)
		frame->flags |= CAPF_DIRTY;
}

void cap_perform_copy(struct cap *to, struct cap *from, u32 rights, u64 badge)
{
	struct cap copy = *from;

	copy.rights = (u8)rights;
	copy.flags &= ~(CAPF_ORIGINAL | CAPF_DIRTY);
	cap_note_mappable(from);
	if (from->type == CAP_RAM) {
		copy.mem.base += cap_ram_used(from);
		copy.mem.bytes -= cap_ram_used(from);
		copy.mem.used = 0;
		from->mem.used = from->mem.bytes;
	}
	if (from->type == CAP_DOMAIN && !(rights & RIGHT_OWN)) {
		copy.type = CAP_ENDPOINT;
		copy.obj.badge = badge;
	}
	cap_insert(to, &copy, from);
}

struct cap *cap_receive_slot(struct domain *d)
{
	struct cap *to = NULL;

	if (!d->receive || cap_find_empty(d, d->receive, &to) != 0)
		return NULL;
	return to;
}

/* Empty a slot without descendants that needs no sweep, destroying its object if original. */
static void cap_delete_leaf(struct cap *cap)
{
	if (cap->flags & CAPF_ORIGINAL)
		object_destroy(cap);
	else if (cap->type == CAP_REPLY)
		object_destroy_reply(cap);
	unlink(cap);
}

s64 call_cap_copy(u64 to, u64 from, u64 rights, u64 badge)
{
	struct cap *src = cap_slot(current, (cap_t)from), *dst;
	int err = src ? cap_check_copy(src, (u32)rights) : -EBADF;

	if (!err)
		err = cap_find_empty(current, (cap_t)to, &dst);
	if (err)
		return err;
	cap_perform_copy(dst, src, (u32)rights, badge);
	return 0;
}

s64 call_cap_put(u64 domain, u64 to, u64 from, u64 rights)
{
	struct cap *src = cap_slot(current, (cap_t)from), *dst, *target;
	int err = src ? cap_check_copy(src, (u32)rights) : -EBADF;

	if (!err)
		err = cap_find((cap_t)domain, CAP_DOMAIN, RIGHT_OWN, &target);
	if (!err)
		err = cap_find_empty(target->obj.ptr, (cap_t)to, &dst);
	if (err)
		return err;
	cap_perform_copy(dst, src, (u32)rights, 0);
	return 0;
}

s64 call_cap_delete(u64 slot)
{
	struct cap *cap = cap_slot(current, (cap_t)slot);

	if (!cap || cap->type == CAP_NULL)
		return -EBADF;
	if (cap_has_descendants(cap) || cap->flags & CAPF_DIRTY || !object_is_empty(cap))
		return -EBUSY;
	cap_delete_leaf(cap);
	return current ? 0 : CALL_DONE;
}

static int sweep(struct cap *cap)
{
	int err = aspace_sweep(cap->mem.base, cap->mem.bytes, &cap->sweep_serial, &cap->sweep_va);

	if (err)
		return err;
	cap->sweep_serial = cap->sweep_va = 0;
	cap->flags &= ~CAPF_DIRTY;
	return 0;
}

/* Leave the sweep of a leaf's memory to @root where that covers it, or do it now. */
static int sweep_leaf(struct cap *root, struct cap *leaf)
{
	if (!(leaf->flags & CAPF_DIRTY))
		return 0;
	if (root->type != CAP_RAM || leaf->mem.base < root->mem.base ||
	    leaf->mem.base + leaf->mem.bytes > root->mem.base + root->mem.bytes)
		return sweep(leaf);
	root->flags |= CAPF_DIRTY;
	return 0;
}

/*
 * Delete one leaf below @root. A table of capabilities is emptied before it goes. The way down
 * ends, because each step leads to something made later: a capability before what derives from
 * it, a table before what is put in it. Returns 0 or -EAGAIN.
 */
static int revoke_step(struct cap *root, u32 *steps)
{
	struct cap *cap = root;

	while (*steps > 0) {
		struct cap *inner;

		--*steps;
		if (cap_has_descendants(cap)) {
			cap = cap->next;
		} else if ((inner = object_first_inside(cap))) {
			cap = inner;
		} else {
			if (sweep_leaf(root, cap))
				return -EAGAIN;
			cap_delete_leaf(cap);
			return 0;
		}
		if (!current) /* it took away its own domain's table */
			return -EAGAIN;
	}
	return -EAGAIN;
}

/*
 * First delete what derives from it, leaf by leaf; then, if any of that or itself may be mapped,
 * sweep its memory out of all address spaces. Every step leaves a consistent tree.
 */
s64 call_cap_revoke(u64 slot)
{
	struct cap *cap = cap_slot(current, (cap_t)slot);
	u32 steps = REVOKE_STEPS;
	int err = 0;

	if (!cap || cap->type == CAP_NULL)
		return -EBADF;
	while (!err && current && cap_has_descendants(cap))
		err = revoke_step(cap, &steps);
	if (!current)
		return CALL_DONE;
	if (!err && cap->flags & CAPF_DIRTY)
		err = sweep(cap);
	return err;
}

s64 call_cap_info(u64 slot, u64 info)
{
	struct cap *cap = cap_slot(current, (cap_t)slot);
	struct cap_info out = {0};

	if (!cap || cap->type == CAP_NULL)
		return -EBADF;
	out.type = cap->type;
	out.rights = cap->rights;
	object_describe(cap, &out);
	return user_write(info, &out, sizeof(out));
}
