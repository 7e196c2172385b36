/*
 * A reader of ELF64 programs for x86-64: header, segments, symbols.
 *
 * The image is bytes in memory that nobody vouches for. elf_open() checks everything that the
 * other functions rely on; after it succeeded they cannot leave the image. Nothing is copied and
 * nothing is allocated: struct elf points into the image, which must stay and must not change.
 *
 * Not here: mapping segments, relocation, the start stack. Relocatable objects and core dumps
 * are refused.
 * Runs in: the loader, the CPU driver, native domains, the build host. Needs memcpy, memcmp and
 * strcmp.
 *
 * Source: System V ABI, chapters 4 and 5 (gABI, 2013), and the AMD64 supplement 1.0.
 */
#ifndef ELF_ELF_H
#define ELF_ELF_H

#include <skerry/types.h>

#define ELF_TYPE_EXEC       2u /* e_type: at fixed addresses */
#define ELF_TYPE_DYN        3u /* e_type: position-independent program or shared object */

#define ELF_PT_LOAD         1u
#define ELF_PT_DYNAMIC      2u
#define ELF_PT_INTERP       3u
#define ELF_PT_NOTE         4u
#define ELF_PT_PHDR         6u
#define ELF_PT_TLS          7u
#define ELF_PT_GNU_EH_FRAME 0x6474e550u
#define ELF_PT_GNU_STACK    0x6474e551u
#define ELF_PT_GNU_RELRO    0x6474e552u

#define ELF_PF_X            1u
#define ELF_PF_W            2u
#define ELF_PF_R            4u

/* Why an image was refused: one value a cause, in words by elf_strerror(). */
enum elf_error {
	ELF_OK,
	ELF_NOT_ELF,        /* too short for, or without, the magic number */
	ELF_NOT_64,         /* ELF of 32 bits */
	ELF_NOT_LITTLE,     /* big endian */
	ELF_BAD_VERSION,    /* of the format, or of the header */
	ELF_OTHER_MACHINE,  /* program for another processor */
	ELF_NOT_PROGRAM,    /* relocatable object, core dump, ... */
	ELF_TRUNCATED,      /* header, table or segment goes beyond the image */
	ELF_BAD_HEADER,     /* a size in the header is not what ELF64 says */
	ELF_NO_SEGMENT,     /* nothing to load */
	ELF_BAD_SIZE,       /* a segment is longer in the file than in memory */
	ELF_BAD_ADDRESS,    /* a segment wraps around the end of the address space */
	ELF_BAD_ALIGNMENT,  /* alignment no power of two, or offset and address disagree */
	ELF_OVERLAP,        /* loadable segments share a page, or are not in ascending order */
	ELF_WRITABLE_CODE,  /* a segment is writable and executable */
	ELF_BAD_ENTRY,      /* the entry point is in no executable segment */
	ELF_BAD_INTERPRETER /* the interpreter's name is empty or has no end */
};

/* How strict to be: with Skerry's own programs, or with programs that Linux would start. */
enum elf_policy {
	ELF_NATIVE, /* refuses writable code, and entry points outside code */
	ELF_FOREIGN /* lets through what Linux lets through */
};

/* A checked image. Private to lib/elf but for the fields marked 'public'. */
struct elf {
	const u8 *image;
	u64 len;
	u16 type;       /* public: ELF_TYPE_EXEC or ELF_TYPE_DYN */
	u16 nsegments;  /* public: program headers of every type */
	u64 entry;      /* public: as in the file, without a load bias */
	u64 low;        /* public: lowest address of a loadable segment, rounded down to a page */
	u64 high;       /* public: highest, rounded up; high - low is what DYN must reserve */
	u64 phdr_off;   /* public: of the program headers in the image */
	u64 symbol_off; /* of the symbol table, nsymbols 0 if there is none */
	u64 nsymbols;
	u64 string_off; /* of the symbols' names; the last byte of the table is NUL */
	u64 string_len;
};

/* One program header, decoded. Loadable ones have offset + filesz inside the image. */
struct elf_segment {
	u32 type;   /* ELF_PT_* */
	u32 flags;  /* ELF_PF_* */
	u64 offset; /* in the image */
	u64 vaddr;  /* without a load bias */
	u64 filesz; /* bytes in the image */
	u64 memsz;  /* bytes in memory; those beyond filesz are zero */
	u64 align;  /* 0, 1 or a power of two */
};

/**
 * Check an image and prepare @elf for the functions below.
 *
 * @elf     is filled on success only
 * @image   @len bytes, of any alignment; untrusted, but not changing
 * @policy  ELF_NATIVE or ELF_FOREIGN
 * Returns ELF_OK or the first cause found. A damaged symbol table is no error: such an image
 * has no symbols.
 */
enum elf_error elf_open(struct elf *elf, const void *image, u64 len, enum elf_policy policy);

/* What to tell a person: "is an ELF file of another machine". Never NULL. */
const char *elf_strerror(enum elf_error error);

/**
 * Iterate over the program headers of one type, in the order of the file.
 *
 * @cursor  0 to begin; advanced by each call
 * @type    ELF_PT_*
 * Returns false when there is no further one.
 */
bool elf_next_segment(const struct elf *elf, u32 *cursor, u32 type, struct elf_segment *segment);

/* The bytes in the image of a segment that elf_next_segment() gave; NULL if they are not all there
 * (possible for types other than ELF_PT_LOAD and ELF_PT_INTERP only). */
const void *elf_segment_data(const struct elf *elf, const struct elf_segment *segment);

/* The path of the program interpreter, NUL-terminated, in the image; NULL if there is none. */
const char *elf_interpreter(const struct elf *elf);

/* Where the program headers are once loaded, without a load bias (AT_PHDR); 0 if nowhere. */
u64 elf_phdr_address(const struct elf *elf);

/**
 * Find the function or label that @addr (without a load bias) is in.
 *
 * Symbols without a size (labels of assembly code) reach to the end of their section's segment;
 * of several candidates the nearest wins, then a sized one. Takes time linear in the number of
 * symbols.
 * Returns false if there is none; otherwise sets @name (NUL-terminated, in the image) and
 * @offset (bytes from the symbol to @addr).
 */
bool elf_symbol_at(const struct elf *elf, u64 addr, const char **name, u64 *offset);

/* Find a defined symbol by name; of several a global one wins. False if there is none. */
bool elf_symbol_named(const struct elf *elf, const char *name, u64 *addr);

#endif
