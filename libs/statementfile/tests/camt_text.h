#pragma once

#include <string>
#include <string_view>

namespace kessai::statementfile {

/// Writes camt.053 as a bank does, of version `version` ("02" to "08"), for tests.
class CamtText {
 public:
    explicit CamtText(std::string version = "08") : version_(std::move(version)) {}

    static std::string Amount(std::string_view amount, std::string_view direction) {
        return "<Amt Ccy=\"JPY\">" + std::string(amount) + "</Amt><CdtDbtInd>" +
               std::string(direction) + "</CdtDbtInd>";
    }
    static std::string Balance(std::string_view code, std::string_view amount,
                               std::string_view direction = "CRDT") {
        return "<Bal><Tp><CdOrPrtry><Cd>" + std::string(code) + "</Cd></CdOrPrtry></Tp>" +
               Amount(amount, direction) + "<Dt><Dt>2026-11-30</Dt></Dt></Bal>\n";
    }
    std::string Status(std::string_view code) const {
        const std::string text(code);
        return version_ == "08" ? "<Sts><Cd>" + text + "</Cd></Sts>" : "<Sts>" + text + "</Sts>";
    }
    /// `inner` stands behind the dates: references, details.
    std::string Entry(std::string_view amount, std::string_view direction,
                      std::string_view inner = "", std::string_view status = "BOOK") const {
        return "<Ntry>" + Amount(amount, direction) + Status(status) +
               "<BookgDt><Dt>2026-11-30</Dt></BookgDt>"
               "<ValDt><DtTm>2026-12-01T00:00:00+09:00</DtTm></ValDt>" +
               std::string(inner) + "</Ntry>\n";
    }
    std::string Party(std::string_view role, std::string_view name) const {
        const std::string text(role);
        const std::string inner = "<Nm>" + std::string(name) + "</Nm>";
        return "<RltdPties><" + text + ">" +
               (version_ == "08" ? "<Pty>" + inner + "</Pty>" : inner) + "</" + text +
               "></RltdPties>";
    }
    /// `inner`: totals, balances and entries.
    std::string Statement(std::string_view id, std::string_view inner) const {
        return "<Stmt><Id>" + std::string(id) +
               "</Id><FrToDt><FrDtTm>2026-11-30T00:00:00</FrDtTm>"
               "<ToDtTm>2026-11-30T23:59:59</ToDtTm></FrToDt>"
               "<Acct><Id><Othr><Id>0001-7654321</Id></Othr></Id><Ccy>JPY</Ccy></Acct>\n" +
               std::string(inner) + "</Stmt>\n";
    }
    std::string File(std::string_view statements) const {
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
               "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001." +
               version_ + "\"><BkToCstmrStmt><GrpHdr><MsgId>M-1</MsgId></GrpHdr>\n" +
               std::string(statements) + "</BkToCstmrStmt></Document>\n";
    }

 private:
    std::string version_;
};

}  // namespace kessai::statementfile
