extension Resources: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("devices", devices)
            $0.add("memory", memory)
            $0.add("cpu", cpu)
            $0.add("pids", pids)
            $0.add("blockIO", blockIO)
            $0.add("hugepageLimits", hugepageLimits)
            $0.add("network", network)
            if !rdma.isEmpty { $0.add("rdma", .object(rdma.map { JSON.Member($0.device, $0.json) })) }
            $0.add("unified", unified)
        }
    }
}

extension DeviceRule: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("allow", allow)
            if type != .all { $0.add("type", type.rawValue) }
            $0.add("major", major)
            $0.add("minor", minor)
            $0.add("access", access.letters)
        }
    }
}

extension Memory: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("limit", limit)
            $0.add("reservation", reservation)
            $0.add("swap", swap)
            $0.add("kernel", kernel)
            $0.add("kernelTCP", kernelTCP)
            $0.add("swappiness", swappiness)
            $0.add("disableOOMKiller", disableOOMKiller)
            $0.add("useHierarchy", useHierarchy)
            $0.add("checkBeforeUpdate", checkBeforeUpdate)
        }
    }
}

extension CPU: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("shares", shares)
            $0.add("quota", quota)
            $0.add("burst", burst)
            $0.add("period", period)
            $0.add("realtimeRuntime", realtimeRuntime)
            $0.add("realtimePeriod", realtimePeriod)
            $0.add("cpus", cpus)
            $0.add("mems", mems)
            $0.add("idle", idle)
        }
    }
}

extension Pids: JSONEncodable {
    package var json: JSON {
        .members { $0.add("limit", limit) }
    }
}

extension BlockIO: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("weight", weight)
            $0.add("leafWeight", leafWeight)
            $0.add("weightDevice", weightDevice)
            $0.add("throttleReadBpsDevice", throttleReadBpsDevice)
            $0.add("throttleWriteBpsDevice", throttleWriteBpsDevice)
            $0.add("throttleReadIOPSDevice", throttleReadIOPSDevice)
            $0.add("throttleWriteIOPSDevice", throttleWriteIOPSDevice)
        }
    }
}

extension WeightDevice: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("major", major)
            $0.add("minor", minor)
            $0.add("weight", weight)
            $0.add("leafWeight", leafWeight)
        }
    }
}

extension ThrottleDevice: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("major", major)
            $0.add("minor", minor)
            $0.add("rate", rate)
        }
    }
}

extension HugepageLimit: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("pageSize", pageSize)
            $0.add("limit", limit)
        }
    }
}

extension Network: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("classID", classID)
            $0.add("priorities", priorities)
        }
    }
}

extension InterfacePriority: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("name", name)
            $0.add("priority", priority)
        }
    }
}

extension RDMA {
    fileprivate var json: JSON {
        .members {
            $0.add("hcaHandles", hcaHandles)
            $0.add("hcaObjects", hcaObjects)
        }
    }
}
