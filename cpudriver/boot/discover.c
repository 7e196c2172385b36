/*
 * What the machine has, as ACPI's tables tell it (MADT, SRAT, SLIT, MCFG, HPET).
 *
 * A table that is missing or broken costs what it would have told, and a line that says so; the
 * machine boots with the rest, in the end as one core on one node.
 *
 * Runs in: the loader. Not here: reading the tables (lib/acpi).
 */
#include "loader.h"

#include <acpi/acpi.h>
#include <bare/bare.h>

/* Tables are no core's memory, whatever the boot loader's memory map says about their place. */
static const void *map_table(void *arg, u64 phys, u64 bytes)
{
	const void *p = phys_map(phys, bytes);

	(void)arg;
	if (p && phys >= MiB)
		memmap_add(phys, bytes, MACHINE_MEM_ACPI);
	return p;
}

/* Finds a table; says if it is broken, or if it is missing and @missing tells what that means. */
static bool find_table(const struct acpi *acpi, const char *signature, const char *missing,
		       struct acpi_table *table)
{
	enum acpi_error err = acpi_find(acpi, signature, table);

	if (err == ACPI_NOT_FOUND && missing)
		say("ACPI has no %s: %s", signature, missing);
	else if (err && err != ACPI_NOT_FOUND)
		say("ACPI's %s at 0x%lx %s: it is not used", signature, table->phys,
		    acpi_strerror(err));
	return err == ACPI_OK;
}

static void say_if_cut(const char *signature, const struct acpi_entries *it)
{
	if (it->error)
		say("ACPI's %s %s: what follows is not used", signature, acpi_strerror(it->error));
}

static void add_core(struct found *f, u32 apic_id)
{
	for (u32 i = 0; i < f->ncores; i++) {
		if (f->core[i].apic_id == apic_id)
			return; /* listed as local APIC and as x2APIC */
	}
	if (f->ncores == MACHINE_MAX_CORES)
		fail("this machine has more than %u cores", MACHINE_MAX_CORES);
	f->core[f->ncores++].apic_id = apic_id;
}

static void read_madt(const struct acpi *acpi, struct found *f)
{
	struct acpi_madt_entry e;
	struct acpi_entries it;
	struct acpi_table t;

	if (!find_table(acpi, ACPI_MADT, "only the core that boots is used", &t))
		return;
	it = acpi_entries(&t);
	while (acpi_madt_next(&it, &e)) {
		if (e.type == ACPI_MADT_CPU && e.cpu.enabled)
			add_core(f, e.cpu.apic_id);
		else if (e.type == ACPI_MADT_IOAPIC && f->nioapics < IOAPICS_MAX)
			f->ioapic[f->nioapics++] = (struct machine_ioapic){
				e.ioapic.base, e.ioapic.id, e.ioapic.gsi_base};
		else if (e.type == ACPI_MADT_OVERRIDE && f->noverrides < OVERRIDES_MAX)
			f->override[f->noverrides++] = (struct machine_override){
				e.override.irq, e.override.gsi, e.override.flags, 0};
	}
	say_if_cut(ACPI_MADT, &it);
}

/* The node of ACPI's proximity domain @domain, which is new or not. */
static void add_domain(struct found *f, u32 domain)
{
	u32 i = f->nnodes;

	for (u32 j = 0; j < f->nnodes; j++) {
		if (f->domain[j] == domain)
			return;
	}
	if (f->nnodes == MACHINE_MAX_NODES)
		fail("this machine has more than %u NUMA nodes", MACHINE_MAX_NODES);
	for (; i > 0 && f->domain[i - 1] > domain; i--)
		f->domain[i] = f->domain[i - 1];
	f->domain[i] = domain;
	f->nnodes++;
}

static u32 node_of(const struct found *f, u32 domain)
{
	u32 i = 0;

	while (i < f->nnodes && f->domain[i] != domain)
		i++;
	return i;
}

static struct machine_core *core_with(struct found *f, u32 apic_id)
{
	for (u32 i = 0; i < f->ncores; i++) {
		if (f->core[i].apic_id == apic_id)
			return &f->core[i];
	}
	return NULL;
}

/* Twice over the table: nodes are numbered in the order of their domains, so all must be known. */
static void read_srat(const struct acpi *acpi, struct found *f)
{
	struct acpi_srat_entry e;
	struct acpi_entries it;
	struct acpi_table t;
	struct machine_core *core;

	if (!find_table(acpi, ACPI_SRAT, NULL, &t))
		return;
	it = acpi_entries(&t);
	while (acpi_srat_next(&it, &e)) {
		if (e.type == ACPI_SRAT_CPU ? core_with(f, e.cpu.apic_id) != NULL
					    : e.memory.bytes && !e.memory.hot_pluggable)
			add_domain(f, e.node);
	}
	say_if_cut(ACPI_SRAT, &it);
	it = acpi_entries(&t);
	while (f->nnodes && acpi_srat_next(&it, &e)) {
		if (e.type == ACPI_SRAT_MEMORY && node_of(f, e.node) < f->nnodes)
			memmap_add_node(e.memory.base, e.memory.bytes, node_of(f, e.node));
		core = e.type == ACPI_SRAT_CPU ? core_with(f, e.cpu.apic_id) : NULL;
		if (core)
			core->node = (u16)node_of(f, e.node);
	}
}

static void read_slit(const struct acpi *acpi, struct found *f)
{
	struct acpi_slit slit;
	struct acpi_table t;
	enum acpi_error err;

	if (f->nnodes < 2 || !find_table(acpi, ACPI_SLIT, NULL, &t))
		return;
	err = acpi_slit(&t, &slit);
	if (err) {
		say("ACPI's SLIT %s: it is not used", acpi_strerror(err));
		return;
	}
	for (u32 i = 0; i < f->nnodes; i++) {
		if (f->domain[i] >= slit.nnodes) {
			say("ACPI's SLIT has no node %u: it is not used", f->domain[i]);
			return;
		}
	}
	for (u32 i = 0; i < f->nnodes * f->nnodes; i++) {
		u32 from = i / f->nnodes, to = i % f->nnodes;

		f->distance[i] =
			from == to
				? ACPI_LOCAL
				: slit.distance[(u64)f->domain[from] * slit.nnodes + f->domain[to]];
	}
	f->has_distances = true;
}

static void read_devices(const struct acpi *acpi, struct found *f)
{
	struct acpi_mcfg_entry e;
	struct acpi_entries it;
	struct acpi_hpet hpet;
	struct acpi_table t;

	if (find_table(acpi, ACPI_HPET, NULL, &t) && acpi_hpet(&t, &hpet) == ACPI_OK)
		f->hpet_base = hpet.base;
	if (!find_table(acpi, ACPI_MCFG, NULL, &t))
		return;
	it = acpi_entries(&t);
	while (acpi_mcfg_next(&it, &e)) {
		if (e.segment != 0 || f->mcfg_base || e.last_bus < e.first_bus)
			continue;
		f->mcfg_base = e.base;
		f->mcfg_first_bus = e.first_bus;
		f->mcfg_last_bus = e.last_bus;
	}
	say_if_cut(ACPI_MCFG, &it);
}

void discover(const struct bootinfo *b, struct found *f)
{
	enum acpi_error err = ACPI_NOT_FOUND;
	struct acpi acpi;

	f->rsdp = b->rsdp ? b->rsdp : acpi_scan(map_table, NULL);
	if (f->rsdp)
		err = acpi_open(&acpi, map_table, NULL, f->rsdp);
	if (!err) {
		read_madt(&acpi, f);
		add_core(f, topology_own_id()); /* if the MADT forgot it */
		read_srat(&acpi, f);
		read_slit(&acpi, f);
		read_devices(&acpi, f);
	} else {
		say("ACPI's root pointer %s: only the core that boots is used", acpi_strerror(err));
		f->rsdp = 0;
		add_core(f, topology_own_id());
	}
	f->nnodes = MAX(f->nnodes, 1u);
	topology_order(f);
}
