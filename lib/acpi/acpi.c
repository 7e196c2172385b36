/*
 * From the root pointer to a table that is whole.
 *
 * Not here: what is in the tables (entries.c, fixed.c).
 * Runs in: the loader, native domains, the build host.
 */
#include <acpi/acpi.h>
#include <acpi/field.h>

/* Root pointer, ACPI 6.5, 5.2.5.3. */
#define RSDP_V1_BYTES 20u
#define RSDP_V2_BYTES 36u
#define RSDP_REVISION 15 /* u8 */
#define RSDP_RSDT     16 /* u32 */
#define RSDP_LENGTH   20 /* u32, from revision 2 on */
#define RSDP_XSDT     24 /* u64 */

/* A DSDT may have hundreds of KiB; the tables read here have some tens at most. */
#define MAX_TABLE_BYTES (4 * MiB)

static const char rsdp_signature[] = "RSD PTR ";
#define RSDP_SIGNATURE_BYTES 8u

static const char *const error_text[] = {
	[ACPI_OK] = "is fine",
	[ACPI_NOT_FOUND] = "is not there",
	[ACPI_NOT_MAPPED] = "is in memory that cannot be read",
	[ACPI_BAD_SIGNATURE] = "has the signature of another table",
	[ACPI_BAD_CHECKSUM] = "has a wrong checksum",
	[ACPI_BAD_LENGTH] = "has an impossible length",
	[ACPI_BAD_ENTRY] = "has an entry with an impossible length",
	[ACPI_BAD_VALUE] = "has a field with a value that is not allowed",
};

const char *acpi_strerror(enum acpi_error error)
{
	if ((size_t)error >= ARRAY_SIZE(error_text))
		return "has an unknown error";
	return error_text[error];
}

static bool sums_to_zero(const u8 *data, u32 len)
{
	u8 sum = 0;

	for (u32 i = 0; i < len; i++)
		sum = (u8)(sum + data[i]);
	return sum == 0;
}

static const u8 *map_bytes(const struct acpi *acpi, u64 phys, u64 len)
{
	if (phys == 0 || phys > UINT64_MAX - len)
		return NULL;
	return acpi->map(acpi->arg, phys, len);
}

/* Map the table at @phys whole; @signature is what it must have. */
static enum acpi_error map_table(const struct acpi *acpi, u64 phys, const char *signature,
				 struct acpi_table *table)
{
	const u8 *header = map_bytes(acpi, phys, HEADER_BYTES);

	table->phys = phys;
	if (!header)
		return ACPI_NOT_MAPPED;
	if (memcmp(header, signature, 4) != 0)
		return ACPI_BAD_SIGNATURE;
	memcpy(table->signature, signature, 4);
	table->signature[4] = '\0';
	table->revision = header[HEADER_REVISION];
	table->len = field32(header + HEADER_LENGTH);
	if (table->len < HEADER_BYTES || table->len > MAX_TABLE_BYTES)
		return ACPI_BAD_LENGTH;
	table->data = map_bytes(acpi, phys, table->len);
	if (!table->data)
		return ACPI_NOT_MAPPED;
	return sums_to_zero(table->data, table->len) ? ACPI_OK : ACPI_BAD_CHECKSUM;
}

static enum acpi_error check_rsdp(const u8 *rsdp)
{
	if (memcmp(rsdp, rsdp_signature, RSDP_SIGNATURE_BYTES) != 0)
		return ACPI_BAD_SIGNATURE;
	return sums_to_zero(rsdp, RSDP_V1_BYTES) ? ACPI_OK : ACPI_BAD_CHECKSUM;
}

/* The physical address of the XSDT, 0 if the root pointer has none. */
static enum acpi_error find_xsdt(const struct acpi *acpi, u64 *xsdt)
{
	const u8 *rsdp = map_bytes(acpi, acpi->rsdp, RSDP_V2_BYTES);
	u32 len;

	if (!rsdp)
		return ACPI_NOT_MAPPED;
	len = field32(rsdp + RSDP_LENGTH);
	if (len < RSDP_V2_BYTES || len > PAGE_SIZE)
		return ACPI_BAD_LENGTH;
	rsdp = map_bytes(acpi, acpi->rsdp, len);
	if (!rsdp)
		return ACPI_NOT_MAPPED;
	if (!sums_to_zero(rsdp, len))
		return ACPI_BAD_CHECKSUM;
	*xsdt = field64(rsdp + RSDP_XSDT);
	return ACPI_OK;
}

/* RSDT, 5.2.7, or XSDT, 5.2.8. */
static enum acpi_error open_root(struct acpi *acpi, u64 phys, const char *signature, u8 width)
{
	struct acpi_table root;
	enum acpi_error err = map_table(acpi, phys, signature, &root);

	if (err)
		return err;
	acpi->width = width;
	acpi->nentries = (root.len - HEADER_BYTES) / width;
	acpi->entries = root.data + HEADER_BYTES;
	return ACPI_OK;
}

enum acpi_error acpi_open(struct acpi *acpi, acpi_map_fn *map, void *arg, u64 rsdp)
{
	struct acpi a = {.map = map, .arg = arg, .rsdp = rsdp};
	const u8 *pointer = map_bytes(&a, rsdp, RSDP_V1_BYTES);
	enum acpi_error err;
	u64 xsdt = 0;

	if (!pointer)
		return ACPI_NOT_MAPPED;
	err = check_rsdp(pointer);
	if (err)
		return err;
	a.revision = pointer[RSDP_REVISION];
	if (a.revision >= 2) {
		err = find_xsdt(&a, &xsdt);
		if (err)
			return err;
	}
	if (xsdt != 0)
		err = open_root(&a, xsdt, "XSDT", 8);
	else
		err = open_root(&a, field32(pointer + RSDP_RSDT), "RSDT", 4);
	if (!err)
		*acpi = a;
	return err;
}

enum acpi_error acpi_find(const struct acpi *acpi, const char *signature, struct acpi_table *table)
{
	enum acpi_error worst = ACPI_NOT_FOUND;

	for (u32 i = 0; i < acpi->nentries; i++) {
		const u8 *entry = acpi->entries + (u64)i * acpi->width;
		u64 phys = acpi->width == 8 ? field64(entry) : field32(entry);
		struct acpi_table t = {0};
		enum acpi_error err = map_table(acpi, phys, signature, &t);

		if (err == ACPI_OK) {
			*table = t;
			return ACPI_OK;
		}
		/* Without a readable header it is no table with this signature. */
		if (err == ACPI_BAD_SIGNATURE || t.signature[0] == '\0' || worst != ACPI_NOT_FOUND)
			continue;
		*table = t;
		worst = err;
	}
	return worst;
}

/* The root pointer on a multiple of 16 bytes in [from, to). */
static u64 scan_range(acpi_map_fn *map, void *arg, u64 from, u64 to)
{
	const u8 *data = map(arg, from, to - from);

	if (!data)
		return 0;
	for (u64 at = 0; at + RSDP_V1_BYTES <= to - from; at += 16) {
		if (check_rsdp(data + at) == ACPI_OK)
			return from + at;
	}
	return 0;
}

u64 acpi_scan(acpi_map_fn *map, void *arg)
{
	const u64 ebda_segment = 0x40e; /* BIOS data area: real-mode segment of the EBDA */
	const u8 *segment = map(arg, ebda_segment, 2);
	u64 ebda = segment ? (u64)field16(segment) << 4 : 0;
	u64 found = 0;

	if (ebda >= 0x400)
		found = scan_range(map, arg, ebda, ebda + KiB);
	return found ? found : scan_range(map, arg, 0xe0000, 0x100000);
}
