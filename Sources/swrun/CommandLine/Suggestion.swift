/// The name that the user most likely meant; nil when none is near.
///
/// Nearest is one that begins with the word, of three letters at least; else the one with the fewest letters wrong, a
/// third of them at most.
func nearest(to word: String, in names: [String]) -> String? {
    var best: (name: String, distance: Int)?
    for name in names {
        if word.utf8.count >= 3, name.hasPrefix(word) { return name }
        let distance = editDistance(Array(word.utf8), Array(name.utf8))
        if distance * 3 <= max(word.utf8.count, 3), distance < (best?.distance ?? Int.max) { best = (name, distance) }
    }
    return best?.name
}

/// The number of bytes to insert, remove, replace or swap with their neighbour to turn one text into the other.
private func editDistance(_ from: [UInt8], _ to: [UInt8]) -> Int {
    // No name has 64 letters; a hostile argument of megabytes must not cost their product.
    guard from.count <= 64, to.count <= 64 else { return Int.max / 3 }
    var beforeLast: [Int] = []
    var last = Array(0...to.count)
    for row in 0..<from.count {
        var current = [row + 1]
        for column in 0..<to.count {
            let replaced = last[column] + (from[row] == to[column] ? 0 : 1)
            var cost = min(replaced, min(last[column + 1], current[column]) + 1)
            if row > 0, column > 0, from[row] == to[column - 1], from[row - 1] == to[column] {
                cost = min(cost, beforeLast[column - 1] + 1)
            }
            current.append(cost)
        }
        (beforeLast, last) = (last, current)
    }
    return last[to.count]
}
