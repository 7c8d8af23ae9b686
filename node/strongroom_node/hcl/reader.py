"""From text to tree: HCL 1, or JSON when the text begins with `{`."""

from typing import Final

from strongroom_node.hcl.lexer import Lexer, Token, TokenType
from strongroom_node.hcl.tree import HCLError, Item, Key, Kind, Limits, ListValue, Literal, ObjectValue, Position, Value

_LITERALS: Final[dict[TokenType, Kind]] = {
    "STRING": Kind.STRING,
    "HEREDOC": Kind.HEREDOC,
    "NUMBER": Kind.NUMBER,
    "FLOAT": Kind.FLOAT,
    "BOOL": Kind.BOOL,
}
_DEFAULT_LIMITS: Final = Limits()


def parse(text: str, limits: Limits = _DEFAULT_LIMITS) -> ObjectValue:
    """Read a whole text. Raises HCLError with line and column at the first fault."""
    if text[:1] == "\ufeff":
        text = text[1:]
    if text.lstrip(" \t\r\n").startswith("{"):
        return _JSONReader(text, limits).document()
    return _Reader(text, limits).document()


class _Scanner:
    """Tokens with one step back, and the depth counter."""

    is_json = False

    def __init__(self, text: str, limits: Limits) -> None:
        self._lexer = Lexer(text, limits, is_json=self.is_json)
        self._kept: Token | None = None
        self._depth_left = limits.depth_max

    def _scan(self) -> Token:
        token, self._kept = self._kept, None
        return token if token is not None else self._lexer.next()

    def _unscan(self, token: Token) -> None:
        self._kept = token

    def _descend(self, position: Position) -> None:
        self._depth_left -= 1
        if self._depth_left < 0:
            raise HCLError(position, "nested too deeply")

    def _ascend(self) -> None:
        self._depth_left += 1


def _literal(token: Token, kind: Kind) -> Literal:
    is_text = kind in (Kind.STRING, Kind.HEREDOC)
    return Literal(kind, token.value, str(token.value) if is_text else token.text, token.position)


class _Reader(_Scanner):
    """Recursive descent over HCL 1; the rules and the words of the errors are the original's."""

    def document(self) -> ObjectValue:
        return ObjectValue(self._items("EOF"), Position(1, 1))

    def _items(self, end: TokenType) -> tuple[Item, ...]:
        items: list[Item] = []
        while True:
            token = self._scan()
            if token.type == end:
                return tuple(items)
            if token.type == "EOF":
                token = self._lexer.next()
                raise HCLError(token.position, "object expected closing RBRACE got: EOF")
            self._unscan(token)
            items.append(self._item())
            token = self._scan()
            if token.type != "COMMA":
                self._unscan(token)

    def _item(self) -> Item:
        keys, token = self._keys()
        if token.type == "ASSIGN":
            return Item(keys, self._value(), token.position.line)
        return Item(keys, self._object(token.position), 0)

    def _keys(self) -> tuple[tuple[Key, ...], Token]:
        keys: list[Key] = []
        while True:
            token = self._scan()
            match token.type:
                case "IDENT" | "STRING":
                    keys.append(Key(str(token.value), token.text, token.position))
                case "ASSIGN" if len(keys) == 1:
                    return tuple(keys), token
                case "ASSIGN" if not keys:
                    raise HCLError(token.position, "no object keys found!")
                case "ASSIGN":
                    raise HCLError(token.position, "nested object expected: LBRACE got: ASSIGN")
                case "LBRACE" if keys:
                    return tuple(keys), token
                case "LBRACE":
                    raise HCLError(token.position, "expected: IDENT | STRING got: LBRACE")
                case "EOF" | "RBRACE" if keys:
                    shown = " ".join(key.raw for key in keys)
                    reason = f"key '{shown}' expected start of object ('{{') or assignment ('=')"
                    raise HCLError(token.position, reason)
                case other:
                    raise HCLError(token.position, f"expected: IDENT | STRING | ASSIGN | LBRACE got: {other}")

    def _value(self) -> Value:
        token = self._scan()
        kind = _LITERALS.get(token.type)
        if kind is not None:
            return _literal(token, kind)
        match token.type:
            case "LBRACE":
                return self._object(token.position)
            case "LBRACK":
                return self._list(token.position)
            case "EOF":
                raise HCLError(token.position, "a value is missing at the end of the text")
            case _:
                raise HCLError(token.position, f"Unknown token: {token.position} {token.type} {token.text}")

    def _object(self, position: Position) -> ObjectValue:
        self._descend(position)
        items = self._items("RBRACE")
        self._ascend()
        return ObjectValue(items, position)

    def _list(self, position: Position) -> ListValue:
        self._descend(position)
        items: list[Value] = []
        needs_comma = False
        while True:
            token = self._scan()
            if needs_comma and token.type not in ("COMMA", "RBRACK"):
                reason = f"error parsing list, expected comma or list end, got: {token.type}"
                raise HCLError(token.position, reason)
            kind = _LITERALS.get(token.type)
            needs_comma = token.type != "COMMA"
            if kind is not None:
                items.append(_literal(token, kind))
            elif token.type == "LBRACE":
                items.append(self._object(token.position))
            elif token.type == "LBRACK":
                items.append(self._list(token.position))
            elif token.type == "RBRACK":
                self._ascend()
                return ListValue(tuple(items), position)
            elif token.type != "COMMA":
                raise HCLError(token.position, f"unexpected token while parsing list: {token.type}")


class _JSONReader(_Scanner):
    """Strict JSON; a name given twice is kept twice, as in HCL."""

    is_json = True

    def document(self) -> ObjectValue:
        made = self._object(self._scan().position)
        token = self._scan()
        if token.type != "EOF":
            raise HCLError(token.position, f"expected: EOF got: {token.type}")
        return made

    def _value(self, token: Token) -> Value:
        kind = _LITERALS.get(token.type)
        if kind is not None:
            return _literal(token, kind)
        match token.type:
            case "NULL":
                return Literal(Kind.NULL, None, "null", token.position)
            case "LBRACE":
                return self._object(token.position)
            case "LBRACK":
                return self._list(token.position)
            case _:
                raise HCLError(token.position, f"Unknown token: {token.position} {token.type} {token.text}")

    def _object(self, position: Position) -> ObjectValue:
        self._descend(position)
        items: list[Item] = []
        token = self._scan()
        while token.type != "RBRACE" or items:
            if token.type != "STRING":
                raise HCLError(token.position, f"expected: STRING got: {token.type}")
            key = Key(str(token.value), token.text, token.position)
            colon = self._scan()
            if colon.type != "COLON":
                raise HCLError(colon.position, f"expected: COLON got: {colon.type}")
            items.append(Item((key,), self._value(self._scan()), colon.position.line))
            token = self._scan()
            if token.type == "RBRACE":
                break
            if token.type != "COMMA":
                raise HCLError(token.position, f"object expected closing RBRACE got: {token.type}")
            token = self._scan()
        self._ascend()
        return ObjectValue(tuple(items), position, is_json=True)

    def _list(self, position: Position) -> ListValue:
        self._descend(position)
        items: list[Value] = []
        token = self._scan()
        while token.type != "RBRACK" or items:
            items.append(self._value(token))
            token = self._scan()
            if token.type == "RBRACK":
                break
            if token.type != "COMMA":
                reason = f"error parsing list, expected comma or list end, got: {token.type}"
                raise HCLError(token.position, reason)
            token = self._scan()
        self._ascend()
        return ListValue(tuple(items), position)
