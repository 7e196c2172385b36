/*
 * Address spaces. See aspace.h. Page-table entries are those of SDM vol. 3A, 4.5; accessed and
 * dirty bits are left to the processor. Tables are reached through the physmap only.
 */
#include "aspace.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/pte.h"
#include "context.h"
#include "domain.h"
#include "kernel.h"
#include "pagetable.h"
#include "sched.h"

#define ASPACE_TABLES_MAX 1024u /* capabilities donated to one space: bounds aspace_kill */
#define SWEEP_TABLES      64u   /* page tables that one step of a sweep reads */

struct aspace *aspaces;
static struct aspace *aspaces_last;
static u64 next_serial;
static u64 pcids[4096 / 64]; /* bit set: in use; 0 is everybody's */

static u16 pcid_new(void)
{
	if (!cpu_has_pcid)
		return 0;
	pcids[0] |= 1;
	for (u32 i = 0; i < ARRAY_SIZE(pcids); i++) {
		if (~pcids[i]) {
			u32 bit = (u32)__builtin_ctzl(~pcids[i]);

			pcids[i] |= 1ul << bit;
			return (u16)(64 * i + bit);
		}
	}
	return 0;
}

static void pcid_put(u16 pcid)
{
	if (pcid)
		pcids[pcid / 64] &= ~(1ul << pcid % 64);
}

static void list_add(struct aspace *as, u64 root_phys)
{
	as->root_phys = root_phys;
	as->serial = ++next_serial;
	as->pcid = pcid_new();
	as->cr3 = root_phys | as->pcid;
	as->flush = true; /* its PCID may have had another owner */
	as->prev = aspaces_last;
	if (aspaces_last)
		aspaces_last->next = as;
	else
		aspaces = as;
	aspaces_last = as;
}

void aspace_init(struct aspace *as, bool for_contexts)
{
	u64 *root = (u64 *)((u8 *)as + PAGE_SIZE);
	const u64 *kernel = phys_to_virt(boot.kernel_root);

	as->for_contexts = for_contexts;
	if (for_contexts) {
		root[KERNEL_SLOT] = tramp_slot_entry();
	} else {
		root[KERNEL_SLOT] = kernel[KERNEL_SLOT];
		root[PHYSMAP_SLOT] = kernel[PHYSMAP_SLOT];
	}
	list_add(as, virt_to_phys(root));
}

void aspace_init_boot(struct aspace *as, u64 root_phys)
{
	list_add(as, root_phys);
}

void aspace_kill(struct aspace *as)
{
	u64 *root = phys_to_virt(as->root_phys);

	as->dead = true;
	domain_aspace_gone(as);
	while (as->contexts)
		context_unbind(as->contexts);
	sched_forget_aspace(as);
	memset(root, 0, PAGE_SIZE / 2);
	as->flush = true;
	as->pool = as->pool_pages = as->fresh_at = 0;
	as->fresh = NULL;
	while (as->tables) {
		struct cap *table = as->tables;

		as->tables = table->sibling;
		table->obj.ptr = NULL;
		table->sibling = NULL;
	}
}

void aspace_destroy(struct aspace *as)
{
	aspace_kill(as);
	pcid_put(as->pcid);
	if (as->prev)
		as->prev->next = as->next;
	else
		aspaces = as->next;
	if (as->next)
		as->next->prev = as->prev;
	else
		aspaces_last = as->prev;
}

s64 call_aspace_donate(u64 aspace, u64 table)
{
	struct cap *space, *pages;
	struct aspace *as;
	u32 given = 0;
	int err = cap_find((cap_t)aspace, CAP_ASPACE, RIGHT_OWN, &space);

	if (!err)
		err = cap_find((cap_t)table, CAP_TABLE, RIGHT_WRITE, &pages);
	if (err)
		return err;
	as = space->obj.ptr;
	for (struct cap *t = as->tables; t; t = t->sibling)
		given++;
	if (pages->obj.ptr || as->dead || given >= ASPACE_TABLES_MAX)
		return -EBUSY;
	tables_donate(as, pages);
	return 0;
}

/* ---- sweeps ---- */

#define SWEPT UINT64_MAX

struct sweep {
	u64 base, bytes;
	u32 budget;
	bool hit;
};

/* Clear entries of @table at @level that lead to the memory. Returns where it stopped, or SWEPT. */
static u64 sweep_table(struct sweep *s, u64 *table, u32 level, u64 va)
{
	u64 span = 1ul << (PAGE_SHIFT + 9 * level);

	if (s->budget == 0)
		return va;
	s->budget--;
	for (u32 i = va / span % 512; i < (level == 3 ? 256 : 512); i++) {
		u64 pte = table[i];
		u64 phys = pte_phys(pte);

		if (!(pte & PTE_PRESENT)) {
			;
		} else if (level == 0 || pte & PTE_LARGE) {
			if (phys < s->base + s->bytes && phys + span > s->base) {
				table[i] = 0;
				s->hit = true;
			}
		} else {
			u64 stop = sweep_table(s, phys_to_virt(phys), level - 1, va);

			if (stop != SWEPT)
				return stop;
		}
		va = ROUND_DOWN(va, span) + span;
	}
	return SWEPT;
}

int aspace_sweep(u64 base, u64 bytes, u64 *serial, u64 *va)
{
	struct sweep s = {.base = base, .bytes = bytes, .budget = SWEEP_TABLES};

	for (struct aspace *as = aspaces; as; as = as->next) {
		u64 stop;

		if (as->serial < *serial)
			continue;
		if (as->serial > *serial)
			*va = 0;
		s.hit = false;
		stop = sweep_table(&s, phys_to_virt(as->root_phys), 3, *va);
		if (s.hit)
			aspace_flush(as);
		context_forget_states(as, base, bytes);
		if (stop != SWEPT) {
			*serial = as->serial;
			*va = stop;
			return -EAGAIN;
		}
	}
	return 0;
}
