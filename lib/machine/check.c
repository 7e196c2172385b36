/*
 * Accepting or refusing a machine description. See machine.h.
 */
#include <machine/machine.h>

#include <errno.h>

#define SHARE_ALIGN (2 * MiB) /* of a core's share of memory */

/* An array of @n elements of @each bytes at @off lies within the block, behind the header. */
static bool array_fits(const struct machine *m, u32 off, u64 n, u64 each)
{
	return off % 8 == 0 && off >= sizeof(*m) && off <= m->size_bytes &&
	       n <= (m->size_bytes - off) / each;
}

static int check_header(const struct machine *m, size_t len)
{
	if (len < sizeof(*m))
		return -ENODATA;
	if (m->magic != MACHINE_MAGIC || m->version != MACHINE_VERSION)
		return -EINVAL;
	if (m->flags != MACHINE_EXPECTED && m->flags != MACHINE_DISCOVERED)
		return -EINVAL;
	if (m->size_bytes > len)
		return -ENODATA;
	if (m->size_bytes < sizeof(*m) || m->fanout == 0)
		return -EINVAL;
	if (!m->ncores || m->ncores > MACHINE_MAX_CORES || !m->nnodes ||
	    m->nnodes > MACHINE_MAX_NODES)
		return -EINVAL;
	if (m->mcfg_base && (m->mcfg_first_bus > m->mcfg_last_bus || m->mcfg_last_bus > 255))
		return -EINVAL;
	if (!array_fits(m, m->cores_off, m->ncores, sizeof(struct machine_core)) ||
	    !array_fits(m, m->distance_off, (u64)m->nnodes * m->nnodes, 1) ||
	    !array_fits(m, m->mem_off, m->nmem, sizeof(struct machine_mem)) ||
	    !array_fits(m, m->ioapics_off, m->nioapics, sizeof(struct machine_ioapic)) ||
	    !array_fits(m, m->overrides_off, m->noverrides, sizeof(struct machine_override)))
		return -EINVAL;
	return 0;
}

/* The memory that core @i may call its own: aligned, and nobody else's. */
static bool check_share(const struct machine_core *c, u32 i)
{
	u64 base = c[i].mem_base, bytes = c[i].mem_bytes;

	if (base % SHARE_ALIGN || bytes % SHARE_ALIGN || base + bytes < base)
		return false;
	for (u32 j = 0; bytes && j < i; j++) {
		if (base < c[j].mem_base + c[j].mem_bytes && c[j].mem_base < base + bytes)
			return false;
	}
	return true;
}

static int check_cores(const struct machine *m)
{
	const struct machine_core *c = machine_cores(m);

	for (u32 i = 0; i < m->ncores; i++) {
		/* Parents come before their children, so the tree has no cycle. */
		if (i ? c[i].parent >= i : c[i].parent != MACHINE_NO_CORE)
			return -EINVAL;
		if (c[i].node >= m->nnodes || !check_share(c, i))
			return -EINVAL;
		for (u32 j = 0; j < i; j++) {
			if (c[j].apic_id == c[i].apic_id)
				return -EINVAL;
		}
	}
	return 0;
}

static int check_distances(const struct machine *m)
{
	for (u32 i = 0; i < m->nnodes; i++) {
		for (u32 j = 0; j < m->nnodes; j++) {
			/* ACPI 6.5, 5.2.17: 10 is local, less is reserved. */
			if (i == j ? machine_distance(m, i, j) != 10
				   : machine_distance(m, i, j) < 10)
				return -EINVAL;
		}
	}
	return 0;
}

static int check_memory(const struct machine *m)
{
	const struct machine_mem *mem = machine_mem(m);
	u64 end = 0;

	for (u32 i = 0; i < m->nmem; i++) {
		if (mem[i].type < MACHINE_MEM_RAM || mem[i].type > MACHINE_MEM_ACPI)
			return -EINVAL;
		if (mem[i].base < end || mem[i].base + mem[i].bytes < mem[i].base)
			return -EINVAL;
		if (mem[i].node >= m->nnodes)
			return -EINVAL;
		end = mem[i].base + mem[i].bytes;
	}
	return 0;
}

int machine_check(const void *block, size_t len)
{
	const struct machine *m = block;
	int err = check_header(m, len);

	if (!err)
		err = check_cores(m);
	if (!err)
		err = check_distances(m);
	if (!err)
		err = check_memory(m);
	return err;
}
