"""Templates of small networks for examples."""

from typing import Final

_HEAD: Final = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: python3.13
      VpcConfig:
        SubnetIds: [!Ref Private]
        SecurityGroupIds: [!GetAtt Group.GroupId]
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties: {GroupDescription: orders, VpcId: !Ref Vpc}
  Vpc:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: 10.0.0.0/16}
  Private:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24}
  Table:
    Type: AWS::EC2::RouteTable
    Properties: {VpcId: !Ref Vpc}
  Association:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {SubnetId: !Ref Private, RouteTableId: !Ref Table}
"""

#: A function in a subnet with a route table of its own, which routes nothing.
CLOSED: Final = _HEAD

#: The same with a default route to a NAT gateway.
NAT: Final = f"""{_HEAD}\
  Default:
    Type: AWS::EC2::Route
    Properties: {{RouteTableId: !Ref Table, DestinationCidrBlock: 0.0.0.0/0, NatGatewayId: !Ref Nat}}
  Nat:
    Type: AWS::EC2::NatGateway
    Properties: {{SubnetId: subnet-0a1b2c3d, AllocationId: eipalloc-0a1b2c3d}}
"""

#: The same with a default route to an internet gateway.
PUBLIC: Final = f"""{_HEAD}\
  Default:
    Type: AWS::EC2::Route
    Properties: {{RouteTableId: !Ref Table, DestinationCidrBlock: 0.0.0.0/0, GatewayId: !Ref Internet}}
  Internet:
    Type: AWS::EC2::InternetGateway
"""
