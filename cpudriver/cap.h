/*
 * Capabilities: slots, and the tree in which they derive from each other.
 *
 * A slot lies in a table (CAP_CNODE). The tree is kept as one doubly linked list in which what is
 * derived from a capability follows it directly with a greater depth: so its descendants are the
 * slots behind it up to the first that is not deeper. A capability with descendants cannot be
 * deleted, only revoked first: none outlives what it derives from.
 *
 * An object (a domain, an address space, ...) lives in memory that its creator gave by RETYPE. The
 * capability that RETYPE made is the object's original; all others derive from it; deleting it
 * destroys the object. Memory comes back to its RAM capability when that has no descendants left.
 *
 * Mappings are not capabilities. A frame's original is dirty once it may be mapped anywhere, and
 * then it cannot be deleted until a sweep has taken its memory out of every address space of the
 * core (CAP_REVOKE does that). The sweep of a RAM capability serves all frames made from it.
 */
#ifndef CAP_H
#define CAP_H

#include <errno.h>
#include <skerry/calls.h>

struct domain;
struct aspace;

#define CAPF_ORIGINAL 1u /* deleting it destroys the object */
#define CAPF_DIRTY    2u /* FRAME: may be mapped; RAM: had such frames, must be swept */
#define CAPF_DEVICE   4u /* FRAME: device memory */
#define CAPF_FOREIGN  8u /* FRAME: minted, not this core's memory */

struct cap {
	u8 type; /* enum cap_type */
	u8 rights;
	u16 depth;
	u32 flags;
	union {
		struct {
			u64 base; /* physical, or first port */
			u64 bytes;
			u64 used; /* RAM: taken from the start; FRAME, RAM under sweep: see sweep */
		} mem;
		struct {
			void *ptr; /* the object; of a TABLE the address space that it was given to
				    */
			u64 badge; /* ENDPOINT; CNODE: slots; TABLE: pages; IRQ, DOORBELL: number */
			u64 base;  /* CNODE, TABLE: physical address; DOORBELL: APIC id */
		} obj;
	};
	struct cap *prev, *next; /* in the tree's list */
	union {
		struct cap *sibling; /* TABLE: the next one of its address space */
		u64 sweep_serial;    /* revocation: address space where the sweep goes on */
	};
	u64 sweep_va;
};

static_assert(sizeof(struct cap) == CNODE_SLOT_BYTES, "a slot is one line of cache");

/** Find an empty slot in @d's table: 0, -EBADF, -EEXIST. */
int cap_find_empty(const struct domain *d, cap_t slot, struct cap **cap);

/**
 * Begin to mint from the authority over the core: find it in slot @core with @rights, and the empty
 * slot @to. 0, or an error of cap_find() or cap_find_empty().
 */
int cap_find_mint(u64 core, u32 rights, u64 to, struct cap **authority, struct cap **dst);

/** Put @value (its tree links are ignored) into empty slot @to as a child of @parent, or a root. */
void cap_insert(struct cap *to, const struct cap *value, struct cap *parent);

bool cap_has_descendants(const struct cap *cap);

/** Whether @from can be derived into a copy with @rights: 0, -EPERM, -ENOTSUP. */
int cap_check_copy(const struct cap *from, u32 rights);

/** Derive; cap_check_copy() must have agreed. */
void cap_perform_copy(struct cap *to, struct cap *from, u32 rights, u64 badge);

/** Where a capability sent in a local call to or from @d would land, or NULL. */
struct cap *cap_receive_slot(struct domain *d);

/** A frame is about to be mapped: its original cannot go without a sweep any more. */
void cap_note_mappable(struct cap *frame);

/** Bytes at the start of a RAM capability that are taken. */
u64 cap_ram_used(const struct cap *ram);

s64 call_cap_copy(u64 to, u64 from, u64 rights, u64 badge);
s64 call_cap_delete(u64 slot);
s64 call_cap_revoke(u64 slot);
s64 call_cap_put(u64 domain, u64 to, u64 from, u64 rights);
s64 call_cap_info(u64 slot, u64 info);
s64 call_retype(u64 ram, u64 type, u64 bytes, u64 to);
s64 call_frame_mint(u64 phys, u64 base, u64 bytes, u64 to);

#endif
