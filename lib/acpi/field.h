/*
 * Reading fields of tables, which have no alignment. Private to lib/acpi.
 */
#ifndef ACPI_FIELD_H
#define ACPI_FIELD_H

#include <skerry/types.h>

#include <string.h>

static inline u16 field16(const u8 *at)
{
	u16 value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static inline u32 field32(const u8 *at)
{
	u32 value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static inline u64 field64(const u8 *at)
{
	u64 value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* The header that every table but the root pointer begins with (ACPI 6.5, 5.2.6). */
#define HEADER_BYTES    36u
#define HEADER_LENGTH   4 /* u32, of the whole table */
#define HEADER_REVISION 8 /* u8 */

#endif
