#include "kessai/mysql/error.h"

namespace kessai::mysql {
namespace {

Status Make(Code code, std::string_view why, int number, std::string_view message) {
    std::string text(message);
    text += " (";
    text += std::to_string(number);
    text += ')';
    return Status(code, why, std::move(text));
}

}  // namespace

Status ClassifyError(int number, std::string_view message, Phase phase) {
    switch (number) {
        case 1213:  // ER_LOCK_DEADLOCK
            return Make(Code::kAborted, reason::kDeadlock, number, message);
        case 1205:  // ER_LOCK_WAIT_TIMEOUT
        case 3572:  // ER_LOCK_NOWAIT (MySQL 8)
            return Make(Code::kAborted, reason::kLockTimeout, number, message);
        case 1020:  // ER_CHECKREAD: MariaDB 10.11 under innodb_snapshot_isolation
        case 3101:  // ER_TRANSACTION_ROLLBACK_DURING_COMMIT: group replication certification
        case 8002:  // TiDB: the SELECT … FOR UPDATE met a write conflict
        case 8022:  // TiDB: the commit may be tried again
        case 8028:  // TiDB: the schema changed during the transaction
        case 9007:  // TiDB: write conflict
            return Make(Code::kAborted, reason::kWriteConflict, number, message);
        case 1062:  // ER_DUP_ENTRY
        case 1586:  // ER_DUP_ENTRY_WITH_KEY_NAME
            return Make(Code::kAlreadyExists, reason::kDuplicateKey, number, message);
        case 1045:  // ER_ACCESS_DENIED_ERROR
        case 1698:  // ER_ACCESS_DENIED_NO_PASSWORD_ERROR
            return Make(Code::kUnavailable, reason::kLoginRefused, number, message);
        case 1290:  // ER_OPTION_PREVENTS_STATEMENT: --read-only
        case 1792:  // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
        case 1836:  // ER_READ_ONLY_MODE
        case 3100:  // ER_RUN_HOOK_ERROR: a group replication member that may not write
            return Make(Code::kUnavailable, reason::kReadOnly, number, message);
        case 1040:  // ER_CON_COUNT_ERROR
        case 1203:  // ER_TOO_MANY_USER_CONNECTIONS
        case 1226:  // ER_USER_LIMIT_REACHED
        case 1021:  // ER_DISK_FULL
        case 1114:  // ER_RECORD_FILE_FULL
        case 1037:  // ER_OUTOFMEMORY
        case 1038:  // ER_OUT_OF_SORTMEMORY
        case 1041:  // ER_OUT_OF_RESOURCES
        case 1135:  // ER_CANT_CREATE_THREAD
        case 1206:  // ER_LOCK_TABLE_FULL
        case 8176:  // TiDB: the server's memory is used up
        case 9003:  // TiDB: TiKV server is busy
            return Make(Code::kUnavailable, reason::kServerExhausted, number, message);
        case 1317:  // ER_QUERY_INTERRUPTED
        case 1969:  // ER_STATEMENT_TIMEOUT (MariaDB)
        case 3024:  // ER_QUERY_TIMEOUT (MySQL 8)
            return Make(Code::kUnavailable, reason::kInterrupted, number, message);
        case 1048:  // ER_BAD_NULL_ERROR
        case 1216:  // ER_NO_REFERENCED_ROW
        case 1217:  // ER_ROW_IS_REFERENCED
        case 1364:  // ER_NO_DEFAULT_FOR_FIELD
        case 1451:  // ER_ROW_IS_REFERENCED_2
        case 1452:  // ER_NO_REFERENCED_ROW_2
        case 3819:  // ER_CHECK_CONSTRAINT_VIOLATED (MySQL 8, TiDB)
        case 4025:  // ER_CONSTRAINT_FAILED (MariaDB)
            return Make(Code::kInternal, reason::kConstraintViolated, number, message);
        case 1690:  // ER_DATA_OUT_OF_RANGE
            return Make(Code::kInternal, reason::kValueOutOfRange, number, message);
        case 1153:  // ER_NET_PACKET_TOO_LARGE
        case 1301:  // ER_WARN_ALLOWED_PACKET_OVERFLOWED
        case 2020:  // CR_NET_PACKET_TOO_LARGE
            return Make(Code::kInvalidArgument, reason::kStatementTooLarge, number, message);
        case 8501:  // TiDB: the result of the commit is undetermined
            return Make(Code::kUnknown, reason::kCommitUnknown, number, message);
        case 0:     // the connector's own: closed, or out of step
        case 1044:  // ER_DBACCESS_DENIED_ERROR
        case 1047:  // ER_UNKNOWN_COM_ERROR: a Galera node that is not ready
        case 1053:  // ER_SERVER_SHUTDOWN
        case 1077:  // ER_NORMAL_SHUTDOWN
        case 1079:  // ER_SHUTDOWN_COMPLETE
        case 1129:  // ER_HOST_IS_BLOCKED
        case 1130:  // ER_HOST_NOT_PRIVILEGED
        case 1152:  // ER_ABORTING_CONNECTION
        case 1158:  // ER_NET_READ_ERROR
        case 1159:  // ER_NET_READ_INTERRUPTED
        case 1160:  // ER_NET_ERROR_ON_WRITE
        case 1161:  // ER_NET_WRITE_INTERRUPTED
        case 1184:  // ER_NEW_ABORTING_CONNECTION
        case 1927:  // ER_CONNECTION_KILLED
        case 2001:  // CR_SOCKET_CREATE_ERROR
        case 2002:  // CR_CONNECTION_ERROR
        case 2003:  // CR_CONN_HOST_ERROR
        case 2004:  // CR_IPSOCK_ERROR
        case 2005:  // CR_UNKNOWN_HOST
        case 2006:  // CR_SERVER_GONE_ERROR
        case 2007:  // CR_VERSION_ERROR
        case 2009:  // CR_WRONG_HOST_INFO
        case 2012:  // CR_SERVER_HANDSHAKE_ERR
        case 2013:  // CR_SERVER_LOST
        case 2014:  // CR_COMMANDS_OUT_OF_SYNC
        case 2018:  // CR_NAMEDPIPEWAIT_ERROR … also "connection killed" in older servers
        case 2026:  // CR_SSL_CONNECTION_ERROR
        case 2027:  // CR_MALFORMED_PACKET
        case 2048:  // CR_INVALID_CONN_HANDLE
        case 2055:  // CR_SERVER_LOST_EXTENDED
        case 3032:  // ER_SERVER_OFFLINE_MODE
        case 3168:  // ER_SERVER_ISNT_AVAILABLE
        case 3169:  // ER_SESSION_WAS_KILLED
        case 4031:  // ER_CLIENT_INTERACTION_TIMEOUT (MySQL 8: closed after wait_timeout)
        case 9001:  // TiDB: the placement driver does not answer
        case 9002:  // TiDB: TiKV does not answer
        case 9005:  // TiDB: a region is unavailable
            if (phase == Phase::kCommitting) {
                return Make(Code::kUnknown, reason::kCommitUnknown, number, message);
            }
            return Make(Code::kUnavailable, reason::kConnectionLost, number, message);
        default:
            return Make(Code::kInternal, reason::kSqlError, number, message);
    }
}

bool IsRetryable(const Status& status) {
    return status.code() == Code::kAborted || status.code() == Code::kUnavailable;
}

}  // namespace kessai::mysql
