/*
 * Tables with a fixed form: SLIT and HPET.
 *
 * Runs in: the loader, native domains, the build host.
 */
#include <acpi/acpi.h>
#include <acpi/field.h>

#define SLIT_NNODES      36 /* u64 */
#define SLIT_FIXED_BYTES 44u
#define SLIT_MAX_NODES   1024u /* so that its square cannot overflow */

#define HPET_SPACE       40 /* u8, of a generic address structure (ACPI 6.5, 5.2.3.2) */
#define HPET_BASE        44 /* u64 */
#define HPET_NUMBER      52 /* u8 */
#define HPET_MIN_TICKS   53 /* u16 */
#define HPET_BYTES       56u

#define SPACE_MEMORY     0

enum acpi_error acpi_slit(const struct acpi_table *table, struct acpi_slit *slit)
{
	u64 nnodes;

	if (memcmp(table->signature, ACPI_SLIT, 4) != 0)
		return ACPI_BAD_SIGNATURE;
	if (table->len < SLIT_FIXED_BYTES)
		return ACPI_BAD_LENGTH;
	nnodes = field64(table->data + SLIT_NNODES);
	if (nnodes == 0 || nnodes > SLIT_MAX_NODES)
		return ACPI_BAD_VALUE;
	if (nnodes * nnodes > table->len - SLIT_FIXED_BYTES)
		return ACPI_BAD_LENGTH;
	for (u64 i = 0; i < nnodes * nnodes; i++) {
		if (table->data[SLIT_FIXED_BYTES + i] < ACPI_LOCAL)
			return ACPI_BAD_VALUE;
	}
	slit->nnodes = (u32)nnodes;
	slit->distance = table->data + SLIT_FIXED_BYTES;
	return ACPI_OK;
}

enum acpi_error acpi_hpet(const struct acpi_table *table, struct acpi_hpet *hpet)
{
	if (memcmp(table->signature, ACPI_HPET, 4) != 0)
		return ACPI_BAD_SIGNATURE;
	if (table->len < HPET_BYTES)
		return ACPI_BAD_LENGTH;
	if (table->data[HPET_SPACE] != SPACE_MEMORY)
		return ACPI_BAD_VALUE;
	hpet->base = field64(table->data + HPET_BASE);
	hpet->number = table->data[HPET_NUMBER];
	hpet->min_ticks = field16(table->data + HPET_MIN_TICKS);
	return ACPI_OK;
}
