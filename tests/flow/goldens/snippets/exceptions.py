def caught():
    try:
        work()
    except KeyError:
        return 1
    except (ValueError, TypeError) as error:
        print(error)
        return 2
    except:
        raise
    else:
        done()


def answered(a):
    try:
        return a.b
    except KeyError as e:
        return a(e)
    except ValueError:
        return a()


def ended(a):
    try:
        return a()
    finally:
        close()


def looped(xs):
    for x in xs:
        try:
            if x:
                continue
            if not x.y:
                break
        finally:
            x.close()
    for x in xs:
        try:
            x()
        finally:
            return x


def raised(a):
    if a:
        raise ValueError(a) from None
    raise KeyError


def nested():
    try:
        try:
            a()
        except A as e:
            b(e)
            return
        finally:
            c()
    except B:
        pass
    del d
