/*
 * Whether KVM works here: that /dev/kvm can be opened does not say so. A tiny guest is run to
 * its end, just as Skerry would be (some hosts run guests, but not with their own processor's
 * features), and the answer kept for as long as this machine stays up.
 */
#include <string.h>
#include <unistd.h>

#include "qemu.h"

#define PROBE_BYTES   (64 * KiB) /* the least that QEMU takes as a BIOS */
#define PROBE_TIMEOUT "5"        /* seconds */
#define PROBE_VALUE   0x2a

/* Where a processor begins, 16 bytes below the end: mov $0x2a,%al; mov $0xf4,%dx; out %al,(%dx);
 * hlt */
static const u8 probe_code[] = {0xb0, PROBE_VALUE, 0xba, 0xf4, 0x00, 0xee, 0xf4};

static bool probe_runs(void)
{
	struct buf bios = {.v = alloc(PROBE_BYTES), .n = PROBE_BYTES};
	char *file = strf("%s/kvm-probe.bin", build_dir());
	struct strv argv = {0};
	struct buf out = {0};

	memcpy(bios.v + PROBE_BYTES - 16, probe_code, sizeof(probe_code));
	file_write(file, bios.v, bios.n);
	strv_split(&argv,
		   strf("timeout -s KILL " PROBE_TIMEOUT
			" %s -accel kvm -cpu host -smp 2 -machine q35 -nodefaults "
			"-display none -no-reboot -device isa-debug-exit,iobase=0xf4,iosize=4 "
			"-bios %s",
			qemu_program(), file));
	return run_collect(&argv, &out) == (PROBE_VALUE << 1 | 1);
}

static bool kvm_works(void)
{
	char *answer_file = strf("%s/kvm-probe", build_dir());
	struct buf boot = {0}, answer = {0};
	const char *works;

	if (access("/dev/kvm", R_OK | W_OK))
		return false;
	file_read("/proc/sys/kernel/random/boot_id", &boot);
	works = strf("%sworks\n", boot.v);
	if (file_read(answer_file, &answer) == 0 && starts_with(answer.v, boot.v))
		return strcmp(answer.v, works) == 0;
	if (!probe_runs())
		works = strf("%sdoes not\n", boot.v);
	file_write(answer_file, works, strlen(works));
	return ends_with(works, "works\n");
}

enum accel qemu_choose_accel(enum accel wanted, u32 ncores, bool tell)
{
	const char *why = access("/dev/kvm", F_OK) ? "there is no /dev/kvm"
						   : "a guest does not run under KVM here";

	if (ncores > QEMU_KVM_CORES) {
		if (wanted == ACCEL_KVM)
			die("over %d cores run under TCG only: leave out --kvm", QEMU_KVM_CORES);
		return wanted == ACCEL_AUTO ? ACCEL_TCG : wanted;
	}
	if (wanted == ACCEL_TCG || wanted == ACCEL_ICOUNT)
		return wanted;
	if (kvm_works()) {
		if (tell)
			warn("running under KVM");
		return ACCEL_KVM;
	}
	if (wanted == ACCEL_KVM)
		die("%s: leave out --kvm", why);
	if (tell)
		warn("running under TCG, an emulator (%s)", why);
	return ACCEL_TCG;
}
