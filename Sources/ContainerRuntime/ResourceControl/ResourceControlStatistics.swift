internal import LinuxSystem
internal import RuntimeSpec

extension ResourceControlGroup {
    /// The member `intel_rdt` of `events --stats`, with runc's names.
    var statistics: JSON {
        .members {
            $0.add("l3_cache_info", cacheInformation)
            $0.add("l3_cache_schema_root", line("L3:", in: root))
            $0.add("l3_cache_schema", line("L3:", in: path))
            $0.add("mem_bw_info", bandwidthInformation)
            $0.add("mem_bw_schema_root", line("MB:", in: root))
            $0.add("mem_bw_schema", line("MB:", in: path))
            $0.add("mbm_stats", monitored(["mbm_total_bytes", "mbm_local_bytes"]))
            $0.add("cmt_stats", monitored(["llc_occupancy"]))
        }
    }

    private var cacheInformation: JSON? {
        let reader = ControlReader(directory: "\(root)/info/L3")
        guard let mask = reader.lines("cbm_mask").first?.first else { return nil }
        return .members {
            $0.add("cbm_mask", mask)
            $0.add("min_cbm_bits", reader.number("min_cbm_bits"))
            $0.add("num_closids", reader.number("num_closids"))
        }
    }

    private var bandwidthInformation: JSON? {
        let reader = ControlReader(directory: "\(root)/info/MB")
        guard !reader.bytes("num_closids").isEmpty else { return nil }
        return .members {
            $0.add("bandwidth_gran", reader.number("bandwidth_gran"))
            let delay = reader.number("delay_linear")
            if delay != 0 { $0.add("delay_linear", delay) }
            $0.add("min_bandwidth", reader.number("min_bandwidth"))
            $0.add("num_closids", reader.number("num_closids"))
        }
    }

    private func line(_ prefix: String, in directory: String) -> String? {
        let text = String(decoding: ControlReader(directory: directory).bytes("schemata"), as: UTF8.self)
        return ResourceSchema.lines(text).first { $0.hasPrefix(prefix) }
    }

    /// What is counted for each cache: nil where the hardware counts nothing.
    private func monitored(_ files: [String]) -> JSON? {
        let data = "\(monitor ?? path)/mon_data"
        guard let directory = try? FileDescriptor.open(data, .directory),
            let domains = try? directoryEntries(directory, onlyDirectories: true)
        else { return nil }
        let entries = domains.filter { $0.hasPrefix("mon_L3_") }.sorted().map { domain in
            let reader = ControlReader(directory: "\(data)/\(domain)")
            return JSON.members {
                for file in files where !reader.bytes(file).isEmpty { $0.add(file, reader.number(file)) }
            }
        }
        return entries.allSatisfy { $0 == .object([]) } ? nil : .array(entries)
    }
}
