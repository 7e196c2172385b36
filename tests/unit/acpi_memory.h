/*
 * A small physical memory with ACPI tables in it, for tests to read and to spoil.
 */
#ifndef ACPI_MEMORY_H
#define ACPI_MEMORY_H

#include <acpi/acpi.h>

#define MEMORY_BASE  0x7ff00000ul
#define RSDP         MEMORY_BASE
#define ROOT         (MEMORY_BASE + 0x100)
#define TABLES       (MEMORY_BASE + 0x400)

#define MEMORY_BYTES (64 * KiB)

/* Start over with a root pointer of @revision and an empty root table. */
void new_memory(u8 revision);

/* Add a table with @len bytes of @body behind its header; returns its physical address. */
u64 memory_add_table(const char *signature, u8 revision, const void *body, u32 len);

/* Map physical memory (an acpi_map_fn; @arg is not used). */
const void *memory_map(void *arg, u64 phys, u64 len);

/* What is at a physical address of the memory. */
u8 *memory_at(u64 phys);

/* Write the low @bytes bytes of @value at @phys. */
void memory_put(u64 phys, u64 value, u32 bytes);

/* Make the @len bytes at @phys sum to zero by the one at offset @where. */
void memory_fix_checksum(u64 phys, u32 len, u32 where);

#endif
