extension SpecWord {
    package init(json: JSONValue) throws(SpecError) {
        let word = try String(json: json)
        guard let known = Self(rawValue: word) else { throw .unknownWord(word, of: Self.self) }
        self = known
    }
}

extension SpecError {
    static func unknownWord<Word: SpecWord>(_ word: String, of vocabulary: Word.Type) -> SpecError {
        SpecError(
            .unknownWord, "unknown \(Word.noun)", quoted(word),
            expected: "expected one of " + Word.allCases.map(\.rawValue).joined(separator: ", "))
    }
}
