#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Make tests/data/load-messages.json from the source trees of QEMUs.

usage: load-messages.py QEMU_7.2.0 QEMU_10.0.13 > tests/data/load-messages.json

Each directory is an unpacked source; its file VERSION names it. Taken are the calls of error_report()
and error_setg(), and what they are wrapped in, in the functions that run on a destination; see ON_LOAD.
"""
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import canonical  # noqa: E402

CALL = re.compile(r"\b(error_report|error_setg|error_setg_errno|error_prepend|error_reportf_err|"
                  r"error_report_once|virtio_error|VHOST_OPS_DEBUG|ERROR)\s*\(")
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"|\b(PRI\w+|RAM_ADDR_FMT)\b')
SPEC = re.compile(r"%(?:%|[-+ #0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh|h|ll|l|z|j)?[a-zA-Z])")
FUNCTION = re.compile(r"^(?:[A-Za-z_][\w\s*]*?\b)?(\w+)\s*\([^;]*$")

# The functions of a load, or of the start of the devices after it.
ON_LOAD = {
    "hw/pci/pci.c": r"get_pci_config_device",
    "hw/virtio/vdpa-dev.c": r".*start|.*set_status",
    "hw/virtio/vhost-shadow-virtqueue.c": r"vhost_svq_(valid.*|translate.*)",
    "hw/virtio/vhost-user-base.c": r"vub_start",
    "hw/virtio/vhost-user-fs.c": r"vuf_(load_state|start|check.*)",
    "hw/virtio/vhost-user-gpio.c": r".*_start",
    "hw/virtio/vhost-user-i2c.c": r".*_start",
    "hw/virtio/vhost-user-rng.c": r".*_start",
    "hw/virtio/vhost-user-scmi.c": r".*_start",
    "hw/virtio/vhost-user.c":
        r"process_message_reply|.*postcopy.*|.*inflight.*|.*device_state.*|vhost_user_read.*|"
        r"vhost_user_write|vhost_user_get_u64|.*set_mem_table.*|.*vring.*|.*fill_set_mem.*|"
        r"send_add_regions",
    "hw/virtio/vhost-vdpa.c":
        r"vhost_vdpa_(dev_start|svq.*start|svq_set.*|svq_setup|svq_map.*|listener_region_add|dma_map)",
    "hw/virtio/vhost-vsock-common.c": r".*start|.*transport_reset|.*post_load.*",
    "hw/virtio/vhost-vsock.c": r".*set_status",
    "hw/virtio/vhost.c":
        r"vhost_dev_(start|enable_notifiers|set_features|get_inflight|set_inflight|prepare_inflight|log_resize|get_config)|"
        r"vhost_(load|check|set_device).*|vhost_virtqueue_start|vhost_virtqueue_set.*|"
        r"vhost_verify_ring.*|vhost_memory_map|vhost_commit|vhost_migration_log",
    "hw/virtio/virtio-bus.c": r"virtio_bus_set_host_notifier|virtio_bus_start_ioeventfd",
    "hw/virtio/virtio-iommu.c": r".*post_load.*|check_page_size_mask|virtio_iommu_set_page_size_mask",
    "hw/virtio/virtio-mem.c": r".*post_load.*",
    "hw/virtio/virtio-pci.c": r"virtio_pci_load.*|virtio_pci_modern_state.*",
    "hw/virtio/virtio.c":
        r"virtio_load|virtio_set_features.*|virtio_init_region_cache|virtio_device_post_load.*",
    "migration/block-dirty-bitmap.c": r"dirty_bitmap_load.*",
    "migration/block.c": r"block_load",
    "migration/channel-block.c": r".*",
    "migration/channel.c": r".*read_peek|.*process_incoming.*",
    "migration/colo.c":
        r"colo_(incoming|process_incoming).*|colo_wait_handle.*|secondary.*|colo_receive.*",
    "migration/cpr-transfer.c": r"cpr_transfer_input",
    "migration/cpr.c": r"cpr_state_load",
    "migration/fd.c": r"fd_start_incoming.*",
    "migration/file.c": r"file_parse_offset|multifd_file_recv_data|file_start_incoming.*",
    "migration/global_state.c": r".*post_load.*",
    "migration/migration.c":
        r"migration_incoming_.*|process_incoming.*|qemu_start_incoming.*|qmp_migrate_incoming|"
        r"qmp_migrate_recover|migrate_uri_parse|migration_ioc_process_incoming|"
        r"migration_incoming.*",
    "migration/multifd.c": r".*recv.*|multifd_load_setup",
    "migration/postcopy-ram.c": r".*",
    "migration/qemu-file.c": r"qemu_file_get.*|qemu_get_buffer_at",
    "migration/ram.c":
        r"colo_cache_from_block_offset|colo_init_ram_cache|load_xbzrle|mapped_ram_read_header|"
        r"parse_.*|ram_block_from_stream|ram_load.*|read_ramblock_mapped_ram|"
        r"do_data_decompress|ram_discard_range|ram_mig_ram_block_resized|decompress.*",
    "migration/rdma.c":
        r".*dest.*|.*accept.*|rdma_start_incoming.*|.*registration_handle|"
        r"rdma_block_notification_handle|qemu_rdma_exchange_recv|rdma_cm_poll_handler|"
        r"qemu_rdma_wait_comp_channel|qemu_rdma_poll|qemu_rdma_post_recv_control|"
        r"qio_channel_rdma_readv|qemu_rdma_drain_cq|qemu_rdma_alloc_pd_cq",
    "migration/savevm.c":
        r"check_section_footer|configuration_post_load|configuration_validate_capabilities|"
        r"get_capability|loadvm_.*|postcopy_pause_incoming|postcopy_ram_listen_thread|"
        r"qemu_load.*|vmstate_uuid_post_load|qmp_xen_load_devices_state|load_snapshot|"
        r"qemu_load_device_state",
    "migration/socket.c": r"socket_accept.*|socket_start_incoming.*",
    "migration/tls.c": r".*incoming.*",
    "migration/vmstate-types.c": r"get_.*",
    "migration/vmstate.c": r"vmstate_load_state|vmstate_subsection_load",
}
FOR_MULTIFD = r".*recv.*|.*unfill.*|.*process_and_check.*|.*init.*"
for compressor in ("nocomp", "qatzip", "qpl", "uadk", "zlib", "zstd"):
    ON_LOAD["migration/multifd-%s.c" % compressor] = FOR_MULTIFD

# After these the load goes on.
GOES_ON = re.compile(r"ignoring$|RP already open|illegal resume received|Fallback to userspace|"
                     r"will be ignored in secondary|^mlock: |notifier cleanup error")

# What the caller puts before what these set.
FS = ('Error loading back-end state of vhost-user-fs device /machine/peripheral/fs0/virtio-backend '
      '(tag: "home"): ')
WRAPPED = dict.fromkeys(["vhost_load_backend_state", "vhost_check_device_state",
                         "vhost_set_device_state_fd", "vhost_user_check_device_state",
                         "vhost_user_set_device_state_fd"], FS)
WRAPPED.update(dict.fromkeys(["vhost_vdpa_svq_setup", "vhost_vdpa_svq_map_rings",
                              "vhost_vdpa_svq_map_ring", "vhost_vdpa_svq_set_fds",
                              "vhost_vdpa_svqs_start"], "Cannot setup SVQ 0: "))

NET = ["Failed to load virtio-net:virtio",
       "error while loading state for instance 0x0 of device '0000:00:03.0/virtio-net'"]
NVME = ["Failed to load nvme:state",
        "error while loading state for instance 0x0 of device '0000:00:07.0/nvme'"]
# The lines with which QEMU goes on.
THEN = {"hw/pci/pci.c": ["Failed to load PCIDevice:config"] + NET, "hw/virtio/virtio.c": NET,
        "hw/virtio/virtio-pci.c": NET, "migration/vmstate.c": NVME, "migration/vmstate-types.c": NVME}

# What a %s of such an argument is in the example; the first that is found in it.
VALUES = [("strerror", "Invalid argument"), ("block", "pc.ram"), ("rb->", "pc.ram"),
          ("pcfd", "virtio-net"), ("idstr", "0000:00:07.0/nvme"), ("vmsd", "nvme"),
          ("field->name", "state"), ("vdev->name", "vhost-user-fs"), ("PROP", "memaddr"),
          ("too new", "too new")]


def without_comments(text):
    return re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.S)


def function_at(lines, i):
    for line in reversed(lines[:i + 1]):
        m = FUNCTION.match(line)
        if m and not line.startswith("#"):
            return m.group(1)
    return None


def arguments(text, i):
    """Those of the call whose bracket opens at @i, as written."""
    depth, args, start, quoted = 0, [], i + 1, False
    for k in range(i, len(text)):
        c = text[k]
        if c == '"' and text[k - 1] != "\\":
            quoted = not quoted
        elif quoted:
            continue
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
            if not depth:
                return args + [text[start:k].strip()]
        elif c == "," and depth == 1:
            args.append(text[start:k].strip())
            start = k + 1
    return args


def format_of(argument):
    """One string of the literals and the macros between them."""
    text = ""
    for literal, macro in STRING.findall(argument):
        if macro == "RAM_ADDR_FMT":
            literal = "%x"
        elif macro:
            literal = macro[3]
        text += literal
    return text.replace('\\"', '"').replace("\\n", "")


def example_of(call, fmt, args, function):
    args = list(args)

    def value(m):
        spec = m.group(0)
        if spec == "%%":
            return "%"
        if "*" in spec and args:
            args.pop(0)
        arg = args.pop(0) if args else ""
        if spec[-1] == "p":
            return "0x7f0012345678"
        if spec[-1] != "s":
            return "5"
        if arg == "__func__":
            return function
        return next((v for k, v in VALUES if k in arg), "abc")

    text = SPEC.sub(value, fmt)
    if call == "ERROR":
        text = "RDMA ERROR: " + text
    elif not text.startswith("Cannot setup SVQ"):
        text = WRAPPED.get(function, "") + text
    if call in ("error_prepend", "error_reportf_err"):
        return text.rstrip() + " Invalid argument"
    return text + ": Invalid argument" if call == "error_setg_errno" else text


def messages_in(root, path, wanted):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        text = without_comments(f.read())
    lines = text.split("\n")
    for m in CALL.finditer(text):
        args = arguments(text, m.end() - 1)
        at = next((i for i, a in enumerate(args) if '"' in a), None)
        function = function_at(lines, text.count("\n", 0, m.start()))
        if at is None or not function or not re.fullmatch(wanted, function):
            continue
        fmt, rest = format_of(args[at]), args[at + 1:]
        if m.group(1) == "VHOST_OPS_DEBUG":
            fmt, rest = fmt + ": %s (%d)", rest + ["strerror"]
        if not GOES_ON.search(fmt) and fmt.strip() != "%s":
            yield function, fmt, example_of(m.group(1), fmt, rest, function)


def main():
    found = {}
    for root in sys.argv[1:]:
        with open(os.path.join(root, "VERSION"), encoding="ascii") as f:
            version = f.read().strip()
        for path, wanted in ON_LOAD.items():
            if not os.path.exists(os.path.join(root, path)):
                continue
            for function, fmt, example in messages_in(root, path, wanted):
                message = found.setdefault((path, fmt), {
                    "example": "qemu-system-x86_64: " + example, "file": path, "format": fmt,
                    "function": function, "qemu": []})
                if version not in message["qemu"]:
                    message["qemu"].append(version)
                chain = "error while loading" in fmt or fmt.startswith("Failed to load %s:%s")
                if path in THEN and not chain:
                    message["then"] = ["qemu-system-x86_64: " + line for line in THEN[path]]
    print(canonical.dumps({
        "description": "Messages that can end the load of a guest, of the functions that run on a "
                       "destination, in migration/, hw/virtio/ and hw/pci/ of two QEMUs. \"example\" has "
                       "values filled in, \"then\" are the lines with which QEMU goes on.",
        "messages": [found[key] for key in sorted(found)]}), end="")


if __name__ == "__main__":
    main()
